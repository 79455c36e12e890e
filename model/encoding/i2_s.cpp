// I2_S: n*k/4 bytes of two-bit codes, then 32 bytes that begin with one f32 scale.
//
//   k128 (published)       one block = 128 weights = 32 bytes
//     byte p:  | 7 6    | 5 4     | 3 2     | 1 0     |
//              | w[p]   | w[p+32] | w[p+64] | w[p+96] |       p = 0..31
//   k64 (written on ARM)   one block = 64 weights = 16 bytes
//     byte p:  | w[p]   | w[p+16] | w[p+32] | w[p+48] |       p = 0..15
//   row4                   byte [r/4][c] holds column c of rows r..r+3, the first in bits 7-6
//
// Blocks run through the tensor: with K no multiple of the block a row begins inside one. Files do
// not say which order they use.
#include "model/encoding/encoding.h"
#include "model/encoding/flat.h"
#include "model/encoding/two_bits.h"

namespace trit {
namespace {

constexpr uint64_t kTrailer = 32;

uint64_t FlatBytes(uint64_t n, uint64_t k, uint64_t block) {
  return n * k % block == 0 ? n * k / 4 + kTrailer : 0;
}

template <int kQuarter>
bool DecodeBlocks(const uint8_t* data, uint64_t blocks, int8_t* out) {
  uint8_t threes = 0;
  for (uint64_t b = 0; b < blocks; ++b, data += kQuarter, out += 4 * kQuarter) {
    threes |= SpreadCodes<kQuarter, FirstCode::kHighBits>(data, out);
  }
  return threes == 0;
}

template <int kQuarter>
bool ReadOrder(const uint8_t* data, uint64_t, uint64_t k, uint64_t row_begin, uint64_t row_end,
               int8_t* out) {
  return ReadFlat<4 * kQuarter, kQuarter>(data, row_begin * k, row_end * k, out,
                                          DecodeBlocks<kQuarter>);
}

bool ReadRow4(const uint8_t* data, uint64_t, uint64_t k, uint64_t row_begin, uint64_t row_end,
              int8_t* out) {
  uint8_t threes = 0;
  for (uint64_t r = row_begin; r < row_end; ++r, out += k) {
    const uint8_t* bytes = data + r / 4 * k;
    const int shift = 6 - 2 * static_cast<int>(r % 4);
    uint8_t bad = 0;
    for (uint64_t c = 0; c < k; ++c) {
      const uint8_t code = bytes[c] >> shift & 3;
      bad |= code & (code >> 1);
      out[c] = static_cast<int8_t>(code - 1);
    }
    threes |= bad;
  }
  return (threes & 1) == 0;
}

TernaryScales Scale(const uint8_t* data, uint64_t n, uint64_t k) {
  TernaryScales scales{static_cast<int64_t>(n), static_cast<int64_t>(k), {0.0f}};
  std::memcpy(scales.values.data(), data + n * k / 4, sizeof(float));
  return scales;
}

void Write(const int8_t* trits, uint64_t count, float, uint8_t* out) {
  for (uint64_t b = 0; b < count; b += 128, trits += 128, out += 32) {
    GatherCodes<32, FirstCode::kHighBits>(trits, out);
  }
}

void WriteTrailer(float scale, uint8_t* out) {
  std::memset(out, 0, kTrailer);
  std::memcpy(out, &scale, sizeof(scale));
}

}  // namespace

extern const TernaryEncoding kI2sK128, kI2sK64, kI2sRow4;

const TernaryEncoding kI2sK128 = {
    .name = "i2_s",
    .ggml_id = 36,
    .order = "128",
    .bytes = [](uint64_t n, uint64_t k) { return FlatBytes(n, k, 128); },
    .shape_rule = "needs N*K to be a multiple of 128",
    .read = ReadOrder<32>,
    .scales = Scale,
    .scale_is_f32 = true,
    .write_block = 128,
    .write_block_bytes = 32,
    .write = Write,
    .trailer_bytes = kTrailer,
    .write_trailer = WriteTrailer,
};

const TernaryEncoding kI2sK64 = {
    .name = "i2_s",
    .ggml_id = 36,
    .order = "64",
    .bytes = [](uint64_t n, uint64_t k) { return FlatBytes(n, k, 64); },
    .shape_rule = "needs N*K to be a multiple of 64",
    .read = ReadOrder<16>,
    .scales = Scale,
    .scale_is_f32 = true,
};

const TernaryEncoding kI2sRow4 = {
    .name = "i2_s",
    .ggml_id = 36,
    .order = "row4",
    .bytes = [](uint64_t n, uint64_t k) { return n % 4 == 0 ? n * k / 4 + kTrailer : 0; },
    .shape_rule = "needs N to be a multiple of 4",
    .read = ReadRow4,
    .scales = Scale,
    .scale_is_f32 = true,
};

}  // namespace trit
