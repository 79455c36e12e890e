// IQ1_BN and IQ2_BN: a scale before each row, then blocks of 64 weights.
//
//   IQ2_BN  row: f32 scale, then 16 bytes a block:
//           byte j = w[j] | w[j+16]<<2 | w[j+32]<<4 | w[j+48]<<6
//
//   IQ1_BN  row: f16 scale, then 13 bytes a block: of each sixteen, elements 0..14 are in three
//           bytes of five trits, and element 15 of sixteen g is trit g of byte 12. A byte is
//           ceil(v * 256 / 243); the FIRST trit is the least significant (the opposite of TQ1_0).
#include <array>
#include <cstring>

#include "model/encoding/encoding.h"
#include "model/encoding/half.h"
#include "model/encoding/two_bits.h"

namespace trit {
namespace {

constexpr uint64_t kBlock = 64;

template <uint64_t kHead, uint64_t kBlockBytes>
uint64_t RowBytes(uint64_t k) {
  return kHead + k / kBlock * kBlockBytes;
}

template <uint64_t kHead, uint64_t kBlockBytes>
uint64_t Bytes(uint64_t n, uint64_t k) {
  return k % kBlock == 0 ? n * RowBytes<kHead, kBlockBytes>(k) : 0;
}

template <uint64_t kHead, uint64_t kBlockBytes>
TernaryScales Scales(const uint8_t* data, uint64_t n, uint64_t k) {
  TernaryScales scales{1, static_cast<int64_t>(k), std::vector<float>(n)};
  for (uint64_t r = 0; r < n; ++r, data += RowBytes<kHead, kBlockBytes>(k)) {
    if constexpr (kHead == 4) {
      std::memcpy(&scales.values[r], data, 4);
    } else {
      uint16_t half;
      std::memcpy(&half, data, 2);
      scales.values[r] = F16ToF32(half);
    }
  }
  return scales;
}

bool ReadIq2(const uint8_t* data, uint64_t, uint64_t k, uint64_t row_begin, uint64_t row_end,
             int8_t* out) {
  uint8_t threes = 0;
  for (uint64_t r = row_begin; r < row_end; ++r) {
    const uint8_t* at = data + r * RowBytes<4, 16>(k) + 4;
    for (uint64_t b = 0; b < k / kBlock; ++b, at += 16, out += kBlock) {
      threes |= SpreadCodes<16, FirstCode::kLowBits>(at, out);
    }
  }
  return threes == 0;
}

// The five trits of a byte, first trit = times 81, then 27, 9, 3, 1: eight bytes so that one store
// of eight does the work of five.
struct FiveTable {
  std::array<std::array<int8_t, 8>, 256> trits{};
  constexpr FiveTable() {
    for (int byte = 0; byte < 256; ++byte) {
      int power = 81;
      for (int t = 0; t < 5; ++t, power /= 3) {
        trits[byte][t] = static_cast<int8_t>(((byte * power & 255) * 3 >> 8) - 1);
      }
    }
  }
};
constexpr FiveTable kFive;

bool ReadIq1(const uint8_t* data, uint64_t, uint64_t k, uint64_t row_begin, uint64_t row_end,
             int8_t* out) {
  for (uint64_t r = row_begin; r < row_end; ++r) {
    const uint8_t* at = data + r * RowBytes<2, 13>(k) + 2;
    for (uint64_t b = 0; b < k / kBlock; ++b, at += 13, out += kBlock) {
      for (int g = 0; g < 4; ++g) {
        int8_t sixteen[24];
        for (int i = 0; i < 3; ++i)
          std::memcpy(sixteen + 5 * i, kFive.trits[at[3 * g + i]].data(), 8);
        sixteen[15] = kFive.trits[at[12]][g];
        std::memcpy(out + 16 * g, sixteen, 16);
      }
    }
  }
  return true;
}

}  // namespace

extern const TernaryEncoding kIq1Bn, kIq2Bn;

const TernaryEncoding kIq1Bn = {
    .name = "iq1_bn",
    .ggml_id = 134,
    .order = "",
    .bytes = Bytes<2, 13>,
    .shape_rule = "needs K to be a multiple of 64",
    .read = ReadIq1,
    .scales = Scales<2, 13>,
    .scale_is_f32 = false,
};

const TernaryEncoding kIq2Bn = {
    .name = "iq2_bn",
    .ggml_id = 135,
    .order = "",
    .bytes = Bytes<4, 16>,
    .shape_rule = "needs K to be a multiple of 64",
    .read = ReadIq2,
    .scales = Scales<4, 16>,
    .scale_is_f32 = true,
};

}  // namespace trit
