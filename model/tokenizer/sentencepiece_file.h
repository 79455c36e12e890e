// tokenizer.model: SentencePiece's protocol buffer, as far as it is needed.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "model/source/tokenizer_spec.h"

namespace trit {

// Pieces, scores, kinds, and whether a space goes before the text. Throws on damage, and on unigram
// models (BPE is what the merging here computes).
TokenizerSpec ReadSentencePiece(std::span<const uint8_t> bytes, const std::string& origin);

}  // namespace trit
