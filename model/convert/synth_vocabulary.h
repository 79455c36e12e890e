// A byte-level BPE vocabulary made from nothing: 256 bytes, then letter sequences with and without
// a space before them, shortest first, and at its end the special tokens that models stop on.
#pragma once

#include <cstdint>

#include "model/source/tokenizer_spec.h"

namespace trit {

// `size` tokens, at least 272. The pre-tokenizer is Llama-3's.
TokenizerSpec SynthVocabulary(uint32_t size);

}  // namespace trit
