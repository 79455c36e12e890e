// Any bytes as a safetensors file.
#include "model/hf/safetensors.h"

#include <cstdlib>

#include "targets/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    uint64_t end = 0;
    for (const trit::SafeTensor& tensor : trit::ParseSafetensors({data, size}, "fuzz")) {
      // In order, inside the file, without overlap: what every reader relies on.
      if (tensor.offset < end || tensor.offset + tensor.bytes > size) std::abort();
      end = tensor.offset + tensor.bytes;
    }
  } catch (const trit::Error&) {
  }
  return 0;
}
