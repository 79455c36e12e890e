// Ranks in tiktoken's form: one token a line, base64 of its bytes, a space, its rank.
#pragma once

#include <string>
#include <string_view>

#include "model/source/tokenizer_spec.h"

namespace trit {

// A byte-level BPE vocabulary with Llama-3's pre-tokenizer and its 256 special tokens after the
// ranks (<|begin_of_text|> first). Ids are ranks. `text` is the file's content.
TokenizerSpec ReadTiktoken(std::string_view text, const std::string& origin);

// The merge list that says the same as ranks: every split of every token whose halves are tokens,
// ordered by the joined token's rank, then by the halves'. 280147 for Llama-3, as published files
// have.
void RanksToMerges(TokenizerSpec* spec);

}  // namespace trit
