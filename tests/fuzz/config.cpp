// Any text as config.json.
#include <string>

#include "model/hf/hf_config.h"
#include "targets/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    trit::ParseHfConfig(std::string(data, data + size), "fuzz");
  } catch (const trit::Error&) {
  }
  return 0;
}
