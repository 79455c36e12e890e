// Two-bit codes, four a byte: what I2_S, TQ2_0, IQ2_BN and Q2_0 share. They differ in how far apart
// a byte's four elements are and in which end of the byte comes first.
#pragma once

#include <cstdint>

namespace trit {

enum class FirstCode { kLowBits, kHighBits };

// kRun bytes to 4 * kRun trits (code - 1): byte p holds elements p, p + kRun, p + 2 kRun and
// p + 3 kRun. Returns bits of 0x55 that are set where a code was 3, which is no trit.
template <int kRun, FirstCode kFirst>
inline uint8_t SpreadCodes(const uint8_t* bytes, int8_t* out) {
  uint8_t threes = 0;
  for (int p = 0; p < kRun; ++p) {
    const uint8_t byte = bytes[p];
    threes |= byte & (byte >> 1);
    for (int i = 0; i < 4; ++i) {
      const int shift = kFirst == FirstCode::kLowBits ? 2 * i : 6 - 2 * i;
      out[p + i * kRun] = static_cast<int8_t>((byte >> shift & 3) - 1);
    }
  }
  return threes & 0x55;
}

// 4 * kRun trits to kRun bytes.
template <int kRun, FirstCode kFirst>
inline void GatherCodes(const int8_t* trits, uint8_t* out) {
  for (int p = 0; p < kRun; ++p) {
    int byte = 0;
    for (int i = 0; i < 4; ++i) {
      const int shift = kFirst == FirstCode::kLowBits ? 2 * i : 6 - 2 * i;
      byte |= (trits[p + i * kRun] + 1) << shift;
    }
    out[p] = static_cast<uint8_t>(byte);
  }
}

}  // namespace trit
