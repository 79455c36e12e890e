// tokenizer.ggml.* keys <-> TokenizerSpec.
#pragma once

#include <string>
#include <vector>

#include "model/source/metadata.h"
#include "model/source/tokenizer_spec.h"

namespace trit {

// Throws when there is no vocabulary, when its arrays differ in length or an id lies outside it.
// Decisions that the file leaves open are appended to `notes`.
TokenizerSpec ReadGgufTokenizer(const Metadata& metadata, std::vector<std::string>* notes);

// Writes the keys as published files have them.
void WriteGgufTokenizer(const TokenizerSpec& spec, Metadata* metadata);

}  // namespace trit
