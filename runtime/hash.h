// A 128-bit content hash (XXH3): fast enough to hash a model's weights at memory speed. It finds
// damage and names contents; it is no defence against somebody who wants two contents to collide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace trit {

struct Hash128 {
  uint64_t low = 0, high = 0;
  bool operator==(const Hash128&) const = default;
  std::string Hex() const;  // 32 digits
};

Hash128 HashBytes(const void* data, size_t bytes);

// Of two hashes, in this order.
Hash128 HashPair(const Hash128& first, const Hash128& second);

}  // namespace trit
