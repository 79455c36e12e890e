#include "model/tokenizer/pre_tokenizers.h"

#include <iterator>

#include "targets/base/error.h"

namespace trit {
namespace {

// White_Space of Unicode 15, spelt out: PCRE2's own \s under UCP has U+180E as well.
#define WS                                                                                         \
  "\\x09-\\x0d\\x20\\x85\\xa0\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{" \
  "3000}"
#define CONTRACTIONS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
// Llama-3's and Qwen2's differ in how many digits a token may have. Possessive where nothing after
// it could use a character given back: the JIT then keeps no backtracking points.
#define CL100K(digits)                                                           \
  CONTRACTIONS "|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|" digits "| ?[^" WS             \
               "\\p{L}\\p{N}]++[\\r\\n]*+|[" WS "]*[\\r\\n]++|[" WS "]+(?![^" WS \
               "])"                                                              \
               "|[" WS "]++"

// As tokenizer.json files spell them.
#define HF_CL100K(digits)                                              \
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits \
  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

constexpr PreTokenizer kTable[] = {
    {"llama-bpe", CL100K("\\p{N}{1,3}+"), true, true, HF_CL100K("\\p{N}{1,3}"), "llama3 llama-v3"},
    {"falcon3", CL100K("\\p{N}{1,3}+"), true, true, "", "falcon_e falcon-h1"},
    {"qwen2", CL100K("\\p{N}"), false, false, HF_CL100K("\\p{N}"), "deepseek-r1-qwen"},
    {"gpt-2",
     "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}++| ?\\p{N}++| ?[^" WS "\\p{L}\\p{N}]++|[" WS "]+(?![^" WS
     "])|[" WS "]++",
     false, false,
     "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", "gpt2"},
};
#undef CL100K
#undef HF_CL100K
#undef CONTRACTIONS
#undef WS

bool HasWord(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const size_t space = words.find(' ');
    if (words.substr(0, space) == word) return true;
    words = space == std::string_view::npos ? "" : words.substr(space + 1);
  }
  return false;
}

}  // namespace

std::span<const PreTokenizer> PreTokenizers() {
  return kTable;
}

const PreTokenizer& FindPreTokenizer(std::string_view name, const std::string& origin) {
  std::string known;
  for (const PreTokenizer& entry : kTable) {
    if (name == entry.name || HasWord(entry.aliases, name)) return entry;
    known += Join(known.empty() ? "" : ", ", entry.name);
  }
  throw Error(Join(origin, ": the pre-tokenizer ", name, " is unknown; known are ", known));
}

}  // namespace trit
