// A tokenizer as a file describes it: data only. model/tokenizer makes one that runs from it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace trit {

enum class TokenizerKind {
  kByteBpe,       // byte-level BPE with a pre-tokenizer ("gpt2" in GGUF, tokenizer.json, tiktoken)
  kSentencePiece  // SentencePiece BPE with scores and byte fallback ("llama" in GGUF)
};

enum class TokenKind : uint8_t {  // GGUF's numbers
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,      // matched in text only when specials are parsed; printed as nothing
  kUserDefined = 4,  // always matched in text, printed as it is
  kUnused = 5,
  kByte = 6,  // <0x41>
};

struct TokenizerSpec {
  TokenizerKind kind = TokenizerKind::kByteBpe;
  // Name of the pre-tokenizer for byte BPE: "llama-bpe", "gpt-2", "falcon3", "qwen2", ...
  std::string pre;
  // Token texts by id. Byte BPE: GPT-2's printable alphabet for normal tokens, plain text for
  // control and user-defined ones. SentencePiece: U+2581 for spaces.
  std::vector<std::string> tokens;
  std::vector<TokenKind> kinds;  // as long as tokens
  std::vector<float> scores;     // SentencePiece
  // Byte BPE: merge i joins two token texts, lower i first. Empty with `ranks_are_ids`: the rank of
  // a pair is the id of the joined token (tiktoken).
  std::vector<std::pair<std::string, std::string>> merges;
  bool ranks_are_ids = false;
  bool ignore_merges = false;  // a pre-token that is in the vocabulary is taken whole
  int32_t bos = -1, eos = -1, eot = -1, unknown = -1, padding = -1;
  std::vector<int32_t> stop;  // further ids that end a generation
  bool add_bos = false;
  bool add_eos = false;
  bool add_space_prefix = true;  // SentencePiece only
  std::string chat_template;     // as the file has it; may be wrong, see the architecture's table
};

}  // namespace trit
