#include "model/convert/synth_vocabulary.h"

#include "model/tokenizer/byte_alphabet.h"
#include "targets/base/error.h"

namespace trit {

TokenizerSpec SynthVocabulary(uint32_t size) {
  constexpr uint32_t kSpecials = 16;
  if (size < 256 + kSpecials) {
    throw Error(
        Join("a synthetic vocabulary needs at least ", 256 + kSpecials, " tokens, not ", size));
  }
  TokenizerSpec spec;
  spec.pre = "llama-bpe";
  spec.ignore_merges = true;
  spec.add_bos = true;
  spec.add_space_prefix = false;
  const ByteAlphabet& alphabet = ByteAlphabet::Get();
  for (int byte = 0; byte < 256; ++byte) {
    spec.tokens.push_back(alphabet.ToText(std::string(1, static_cast<char>(byte))));
  }
  // Level by level: each sequence of the last level with one more letter, most frequent ones first.
  const std::string letters = "etaoinshrdlucmfwypvbgkjqxz";
  std::vector<std::string> level = {alphabet.ToText(" ")}, next;
  for (const char c : letters) level.emplace_back(1, c);
  const size_t wanted = size - kSpecials;
  while (spec.tokens.size() < wanted) {
    next.clear();
    for (const std::string& stem : level) {
      for (const char c : letters) {
        if (spec.tokens.size() == wanted) break;
        spec.merges.emplace_back(stem, std::string(1, c));
        spec.tokens.push_back(stem + c);
        next.push_back(stem + c);
      }
    }
    level.swap(next);
  }
  spec.kinds.assign(wanted, TokenKind::kNormal);
  const auto base = static_cast<int32_t>(wanted);
  for (uint32_t i = 0; i < kSpecials; ++i) {
    spec.tokens.push_back(i == 0   ? "<|begin_of_text|>"
                          : i == 1 ? "<|end_of_text|>"
                          : i == 9 ? "<|eot_id|>"
                                   : Join("<|reserved_special_token_", i, "|>"));
    spec.kinds.push_back(TokenKind::kControl);
  }
  spec.bos = base;
  spec.eos = base + 1;
  spec.eot = base + 9;
  spec.stop = {base + 1, base + 9};
  return spec;
}

}  // namespace trit
