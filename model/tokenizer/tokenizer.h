// Text <-> token ids.
//
//   Tokenizer tokenizer(source->Tokenizer());
//   std::vector<int32_t> ids = tokenizer.Encode(text, {.add_special = true});
//   StreamDecoder stream(tokenizer);
//   for (int32_t id : ids) std::cout << stream.Push(id);
//   std::cout << stream.Finish();
//
// Any bytes can be encoded: what is not valid UTF-8 is cut into runs of its own and goes to byte
// tokens. Encode and Decode are const and may be called from several threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/source/tokenizer_spec.h"

namespace trit {

struct EncodeOptions {
  bool add_special = true;     // BOS and EOS as the vocabulary's rules say
  bool parse_special = false;  // texts of control tokens become those tokens
};

class Tokenizer {
 public:
  // Throws an Error when the description contradicts itself (a merge of unknown tokens, ...).
  explicit Tokenizer(TokenizerSpec spec, std::string origin = "the tokenizer");
  ~Tokenizer();
  Tokenizer(const Tokenizer&) = delete;
  Tokenizer& operator=(const Tokenizer&) = delete;

  std::vector<int32_t> Encode(std::string_view text, const EncodeOptions& options = {}) const;

  // All bytes of `ids`; control tokens are left out unless `with_special`. The space that
  // SentencePiece put before the text is taken away again. Ids outside the vocabulary throw.
  std::string Decode(std::span<const int32_t> ids, bool with_special = false) const;
  // The bytes of one token, wherever it stands (a control token's are its text).
  const std::string& Bytes(int32_t id) const;
  bool IsControl(int32_t id) const;

  int32_t size() const;
  const TokenizerSpec& spec() const;  // without tokens' merges, which are dropped after loading
  bool IsStop(int32_t id) const;
  // The id of a token by its exact text (as in a chat template); -1 when there is none.
  int32_t FindToken(std::string_view text) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Ids one by one into text that is always whole UTF-8 characters.
class StreamDecoder {
 public:
  explicit StreamDecoder(const Tokenizer& tokenizer, bool with_special = false)
      : tokenizer_(tokenizer), with_special_(with_special) {}

  // What can be printed now. A character's first bytes wait for the others; bytes that can no
  // longer become valid are given out as U+FFFD.
  std::string Push(int32_t id);
  // What waits is given out (as U+FFFD when incomplete).
  std::string Finish();

 private:
  const Tokenizer& tokenizer_;
  bool with_special_;
  bool at_start_ = true;
  std::string waiting_;
};

}  // namespace trit
