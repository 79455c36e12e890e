// The tokenizer files of a Hugging Face folder -> TokenizerSpec: tokenizer.json (byte-level BPE or
// SentencePiece-like BPE), tokenizer.model, and the rules in tokenizer_config.json, config.json and
// generation_config.json.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/source/tokenizer_spec.h"

namespace trit {

// The vocabulary is padded to `vocab_size` with unused tokens. Throws when there is no tokenizer,
// when it has more tokens than that, or when it is of a kind that is not known.
TokenizerSpec ReadHfTokenizer(const std::string& folder, uint32_t vocab_size,
                              std::vector<std::string>* notes);

// tokenizer.json alone; exposed for tests and fuzzing.
TokenizerSpec ParseTokenizerJson(const std::string& text, const std::string& origin,
                                 std::vector<std::string>* notes);

}  // namespace trit
