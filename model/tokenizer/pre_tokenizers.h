// How text is cut before byte-level BPE: the one table of pre-tokenizers.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace trit {

struct PreTokenizer {
  const char* name;        // the canonical tokenizer.ggml.pre
  const char* pattern;     // PCRE2, UTF-8; every character is matched by some alternative
  bool ignore_merges;      // a pre-token in the vocabulary is taken whole
  bool add_bos;            // when the file does not say
  const char* hf_pattern;  // the same as tokenizer.json spells it; "" when it has another form
  const char* aliases;     // other names in files, separated by spaces
};

std::span<const PreTokenizer> PreTokenizers();
// Throws an Error that lists the known names.
const PreTokenizer& FindPreTokenizer(std::string_view name, const std::string& origin);

}  // namespace trit
