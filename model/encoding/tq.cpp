// TQ1_0 and TQ2_0: blocks of 256 along K, each with an f16 scale at its end.
//
//   TQ2_0, 66 bytes: qs[64], d.   Half h of 128: byte 32h+m holds elements m, m+32, m+64, m+96 of
//     the half, the first in bits 1-0 (the reverse of I2_S).
//   TQ1_0, 54 bytes: qs[48], qh[4], d.   A byte is ceil(v * 256 / 243), v five trits in base 3, the
//     first most significant, so that multiplying by 3 in 8 bits pushes out one trit after another.
//       byte m      0..31: elements n*32 + m         n = 0..4
//       byte 32+m   0..15: elements 160 + n*16 + m   n = 0..4
//       qh m        0..3:  elements 240 + n*4 + m    n = 0..3 (four trits; v times 3)
#include <cstring>

#include "model/encoding/encoding.h"
#include "model/encoding/half.h"
#include "model/encoding/two_bits.h"

namespace trit {
namespace {

constexpr uint64_t kBlock = 256, kTq1Bytes = 54, kTq2Bytes = 66;

template <uint64_t kBytes>
uint64_t Bytes(uint64_t n, uint64_t k) {
  return k % kBlock == 0 ? n * (k / kBlock) * kBytes : 0;
}

uint16_t LoadHalf(const uint8_t* at) {
  uint16_t half;
  std::memcpy(&half, at, 2);
  return half;
}

template <uint64_t kBytes>
TernaryScales Scales(const uint8_t* data, uint64_t n, uint64_t k) {
  TernaryScales scales{1, kBlock, {}};
  const uint64_t blocks = n * (k / kBlock);
  // Nearly every file has one scale: then one value says it all, and a vector of millions is saved.
  const uint16_t first = LoadHalf(data + kBytes - 2);
  uint64_t same = 1;
  while (same < blocks && LoadHalf(data + (same + 1) * kBytes - 2) == first) ++same;
  if (same == blocks) {
    return {static_cast<int64_t>(n), static_cast<int64_t>(k), {F16ToF32(first)}};
  }
  scales.values.resize(blocks);
  for (uint64_t b = 0; b < blocks; ++b) {
    scales.values[b] = F16ToF32(LoadHalf(data + (b + 1) * kBytes - 2));
  }
  return scales;
}

// Each step multiplies by 3: the trit is what leaves the byte at the top.
template <int kLanes, int kTrits>
void Peel(const uint8_t* bytes, int8_t* out) {
  uint16_t state[kLanes];
  for (int m = 0; m < kLanes; ++m) state[m] = bytes[m];
  for (int t = 0; t < kTrits; ++t) {
    for (int m = 0; m < kLanes; ++m) {
      const uint16_t product = static_cast<uint16_t>(state[m] * 3);
      out[t * kLanes + m] = static_cast<int8_t>((product >> 8) - 1);
      state[m] = product & 255;
    }
  }
}

bool ReadTq1(const uint8_t* data, uint64_t, uint64_t k, uint64_t row_begin, uint64_t row_end,
             int8_t* out) {
  const uint64_t blocks = (row_end - row_begin) * (k / kBlock);
  data += row_begin * (k / kBlock) * kTq1Bytes;
  for (uint64_t b = 0; b < blocks; ++b, data += kTq1Bytes, out += kBlock) {
    Peel<32, 5>(data, out);
    Peel<16, 5>(data + 32, out + 160);
    Peel<4, 4>(data + 48, out + 240);
  }
  return true;  // every byte value decodes to trits
}

bool ReadTq2(const uint8_t* data, uint64_t, uint64_t k, uint64_t row_begin, uint64_t row_end,
             int8_t* out) {
  const uint64_t blocks = (row_end - row_begin) * (k / kBlock);
  data += row_begin * (k / kBlock) * kTq2Bytes;
  uint8_t threes = 0;
  for (uint64_t b = 0; b < blocks; ++b, data += kTq2Bytes, out += kBlock) {
    for (int half = 0; half < 2; ++half) {
      threes |= SpreadCodes<32, FirstCode::kLowBits>(data + 32 * half, out + 128 * half);
    }
  }
  return threes == 0;
}

template <int kLanes, int kTrits>
void Squeeze(const int8_t* trits, uint8_t* out) {
  uint16_t value[kLanes] = {};
  for (int t = 0; t < kTrits; ++t) {
    for (int m = 0; m < kLanes; ++m) {
      value[m] = static_cast<uint16_t>(value[m] * 3 + trits[t * kLanes + m] + 1);
    }
  }
  for (int m = 0; m < kLanes; ++m) {
    const uint32_t v = kTrits == 5 ? value[m] : value[m] * 3u;
    out[m] = static_cast<uint8_t>((v * 256 + 242) / 243);
  }
}

void WriteTq1(const int8_t* trits, uint64_t count, float scale, uint8_t* out) {
  const uint16_t half = F32ToF16(scale);
  for (uint64_t i = 0; i < count; i += kBlock, trits += kBlock, out += kTq1Bytes) {
    Squeeze<32, 5>(trits, out);
    Squeeze<16, 5>(trits + 160, out + 32);
    Squeeze<4, 4>(trits + 240, out + 48);
    std::memcpy(out + 52, &half, 2);
  }
}

void WriteTq2(const int8_t* trits, uint64_t count, float scale, uint8_t* out) {
  const uint16_t half = F32ToF16(scale);
  for (uint64_t i = 0; i < count; i += kBlock, trits += kBlock, out += kTq2Bytes) {
    for (int h = 0; h < 2; ++h) {
      GatherCodes<32, FirstCode::kLowBits>(trits + 128 * h, out + 32 * h);
    }
    std::memcpy(out + 64, &half, 2);
  }
}

}  // namespace

extern const TernaryEncoding kTq1_0, kTq2_0;

const TernaryEncoding kTq1_0 = {
    .name = "tq1_0",
    .ggml_id = 34,
    .order = "",
    .bytes = Bytes<kTq1Bytes>,
    .shape_rule = "needs K to be a multiple of 256",
    .read = ReadTq1,
    .scales = Scales<kTq1Bytes>,
    .scale_is_f32 = false,
    .write_block = kBlock,
    .write_block_bytes = kTq1Bytes,
    .write = WriteTq1,
};

const TernaryEncoding kTq2_0 = {
    .name = "tq2_0",
    .ggml_id = 35,
    .order = "",
    .bytes = Bytes<kTq2Bytes>,
    .shape_rule = "needs K to be a multiple of 256",
    .read = ReadTq2,
    .scales = Scales<kTq2Bytes>,
    .scale_is_f32 = false,
    .write_block = kBlock,
    .write_block_bytes = kTq2Bytes,
    .write = WriteTq2,
};

}  // namespace trit
