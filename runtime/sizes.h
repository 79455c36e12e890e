// Arithmetic on sizes that come from files and command lines: every product and sum is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "targets/base/error.h"

namespace trit {

// `what` names the quantity in the error, e.g. "packed bytes of a 3 x 5 tensor".
inline uint64_t CheckedMul(uint64_t a, uint64_t b, std::string_view what) {
  uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) {
    throw Error(Join(what, ": ", a, " * ", b, " overflows 64 bits"));
  }
  return product;
}

inline uint64_t CheckedAdd(uint64_t a, uint64_t b, std::string_view what) {
  uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) {
    throw Error(Join(what, ": ", a, " + ", b, " overflows 64 bits"));
  }
  return sum;
}

// x rounded up to a multiple of granule; both positive.
inline int32_t PadTo(int32_t x, int32_t granule, std::string_view what) {
  const int64_t padded = (int64_t{x} + granule - 1) / granule * granule;
  if (x <= 0 || granule <= 0 || padded > std::numeric_limits<int32_t>::max()) {
    throw Error(Join(what, ": ", x, " cannot be padded to a multiple of ", granule));
  }
  return static_cast<int32_t>(padded);
}

constexpr uint64_t RoundUp(uint64_t x, uint64_t granule) {
  return (x + granule - 1) / granule * granule;
}

}  // namespace trit
