// Any bytes as tokenizer.json, tokenizer.model or tiktoken ranks (the first byte chooses), and the
// tokenizer they describe put to use.
#include <string>
#include <vector>

#include "model/hf/hf_tokenizer.h"
#include "model/tokenizer/sentencepiece_file.h"
#include "model/tokenizer/tiktoken.h"
#include "model/tokenizer/tokenizer.h"
#include "targets/base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(data + 1, data + size);
  try {
    trit::TokenizerSpec spec;
    std::vector<std::string> notes;
    switch (data[0] % 3) {
      case 0:
        spec = trit::ParseTokenizerJson(text, "fuzz", &notes);
        break;
      case 1:
        spec = trit::ReadSentencePiece({data + 1, size - 1}, "fuzz");
        break;
      default:
        spec = trit::ReadTiktoken(text, "fuzz");
        break;
    }
    const trit::Tokenizer tokenizer(std::move(spec));
    tokenizer.Decode(tokenizer.Encode(text.substr(0, 256), {.parse_special = true}));
  } catch (const trit::Error&) {
  }
  return 0;
}
