// Any bytes as a GGUF file: parsed and read whole, or refused with an Error.
#include <vector>

#include "model/gguf/gguf_file.h"
#include "model/gguf/gguf_tokenizer.h"
#include "model/tokenizer/tokenizer.h"
#include "targets/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const trit::GgufFile file =
        trit::ParseGguf({data, size}, "fuzz", size % 2 == 0 ? "128" : "row4");
    for (const trit::GgufTensor& tensor : file.tensors) {
      const uint8_t* bytes = data + tensor.offset;
      const auto n = static_cast<uint64_t>(tensor.rows), k = static_cast<uint64_t>(tensor.cols);
      if (tensor.ternary != nullptr) {
        std::vector<int8_t> out(n * k);
        tensor.ternary->read(bytes, n, k, 0, n, out.data());
        trit::MergeScales(tensor.ternary->scales(bytes, n, k), tensor.rows, tensor.cols);
      } else {
        std::vector<float> out(n * k);
        tensor.dense->read(bytes, n * k, out.data());
      }
    }
    std::vector<std::string> notes;
    const trit::Tokenizer tokenizer(trit::ReadGgufTokenizer(file.metadata, &notes));
    tokenizer.Decode(tokenizer.Encode("the cat <s>", {.parse_special = true}));
  } catch (const trit::Error&) {
  }
  return 0;
}
