#include "runtime/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace trit {

std::string Hash128::Hex() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint64_t word : {high, low}) {
    for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[word >> shift & 15];
  }
  return text;
}

Hash128 HashBytes(const void* data, size_t bytes) {
  const XXH128_hash_t h = XXH3_128bits(data, bytes);
  return {h.low64, h.high64};
}

Hash128 HashPair(const Hash128& first, const Hash128& second) {
  const uint64_t words[4] = {first.low, first.high, second.low, second.high};
  return HashBytes(words, sizeof(words));
}

}  // namespace trit
