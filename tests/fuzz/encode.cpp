// Any bytes as a prompt: what is encoded must decode to the same bytes, whole and streamed.
#include <cstdlib>
#include <string>

#include "model/convert/synth_vocabulary.h"
#include "model/tokenizer/tokenizer.h"
#include "model/tokenizer/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const trit::Tokenizer tokenizer(trit::SynthVocabulary(4096));
  const std::string text(data, data + size);
  const auto ids = tokenizer.Encode(text, {.add_special = false, .parse_special = true});
  if (tokenizer.Decode(ids, /*with_special=*/true) != text) std::abort();
  trit::StreamDecoder stream(tokenizer, /*with_special=*/true);
  std::string streamed;
  for (const int32_t id : ids) {
    const std::string part = stream.Push(id);
    if (trit::Utf8ValidPrefix(part) != part.size()) std::abort();
    streamed += part;
  }
  streamed += stream.Finish();
  if (trit::Utf8ValidPrefix(text) == text.size() && streamed != text) std::abort();
  return 0;
}
