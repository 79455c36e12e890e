// Packing of dense matrices: file form -> form in memory (dense.h).
#include <bit>
#include <cmath>
#include <cstring>

#include "model/ops/dense.h"
#include "model/ops/dense_layout.h"
#include "targets/base/error.h"

namespace trit::ops {
namespace {

int64_t Groups(int64_t n) {
  return (n + kDenseRowGranule - 1) / kDenseRowGranule;
}

uint32_t LoadU32(const uint8_t* p) {
  uint32_t v;
  std::memcpy(&v, p, sizeof(v));
  return v;
}
void StoreU32(uint8_t* p, uint32_t v) {
  std::memcpy(p, &v, sizeof(v));
}

float HalfToFloat(const uint8_t* p) {
  uint16_t h;
  std::memcpy(&h, p, sizeof(h));
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16;
  const uint32_t exponent = (h >> 10) & 31u;
  const uint32_t mantissa = h & 1023u;
  if (exponent == 0) {
    const float value = std::ldexp(static_cast<float>(mantissa), -24);
    return sign ? -value : value;
  }
  const uint32_t wide = exponent == 31 ? 255u : exponent + 112u;
  return std::bit_cast<float>(sign | (wide << 23) | (mantissa << 13));
}

// The 256 six-bit codes of a file block in column order.
void Q6Codes(const uint8_t* block, uint8_t* codes) {
  const uint8_t* low = block;
  const uint8_t* high = block + 128;
  for (int half = 0; half < 2; ++half, low += 64, high += 32, codes += 128) {
    for (int i = 0; i < 32; ++i) {
      codes[i] = static_cast<uint8_t>((low[i] & 15) | (high[i] & 3) << 4);
      codes[i + 32] = static_cast<uint8_t>((low[i + 32] & 15) | ((high[i] >> 2) & 3) << 4);
      codes[i + 64] = static_cast<uint8_t>(low[i] >> 4 | ((high[i] >> 4) & 3) << 4);
      codes[i + 96] = static_cast<uint8_t>(low[i + 32] >> 4 | (high[i] >> 6) << 4);
    }
  }
}

void PackQ6Block(const uint8_t* block, int lane, uint8_t* group) {
  uint8_t codes[kQ6Columns];
  Q6Codes(block, codes);
  std::memcpy(group + 2 * lane, block + 208, 2);
  uint8_t* words = group + kQ6WordsOffset + 4 * lane;
  for (int s = 0; s < 16; ++s) {
    group[kQ6ScalesOffset + 16 * s + lane] = block[192 + s];
    const uint8_t* c = codes + 16 * s;
    for (int j = 0; j < 3; ++j) {
      uint32_t word = 0;
      for (int i = 0; i < 4; ++i) {
        const uint32_t top = (c[12 + i] >> (2 * j)) & 3u;
        word |= (c[4 * j + i] | top << 6) << (8 * i);
      }
      StoreU32(words + 64 * (3 * s + j), word);
    }
  }
}

void PackQ4Block(const uint8_t* block, int lane, uint8_t* group) {
  std::memcpy(group + 2 * lane, block, 2);
  const uint8_t* nibbles = block + 2;  // byte i: columns i (low) and i + 16 (high)
  for (int j = 0; j < 4; ++j) {
    uint32_t word = 0;
    for (int i = 0; i < 8; ++i) {
      const int column = 8 * j + i;
      const uint32_t code = column < 16 ? nibbles[column] & 15u : nibbles[column - 16] >> 4;
      word |= code << (4 * i);
    }
    StoreU32(group + kQ4WordsOffset + 64 * j + 4 * lane, word);
  }
}

int64_t ElementBytes(DenseType type) {
  return type == DenseType::kF32 ? 4 : 2;
}

[[noreturn]] void NoKernel(DenseType type, int64_t k) {
  throw Error(Join("no dense kernel for type ", static_cast<uint32_t>(type), " with ", k,
                   " columns; there are F32, F16, BF16, Q8_0, Q4_0 (columns a multiple of 32) and "
                   "Q6_K (a multiple of 256)"));
}

int64_t FileRowBytes(DenseType type, int64_t k) {
  switch (type) {
    case DenseType::kF32:
    case DenseType::kF16:
    case DenseType::kBF16:
      return k * ElementBytes(type);
    case DenseType::kQ8_0:
      return k / kQ8Columns * kQ8FileBytes;
    case DenseType::kQ4_0:
      return k / kQ4Columns * kQ4FileBytes;
    case DenseType::kQ6_K:
      return k / kQ6Columns * kQ6FileBytes;
    default:
      NoKernel(type, k);
  }
}

bool Interleaved(DenseType type) {
  return type == DenseType::kQ6_K || type == DenseType::kQ4_0;
}

}  // namespace

bool DenseTypeHasKernel(DenseType type, int64_t k) {
  switch (type) {
    case DenseType::kF32:
    case DenseType::kF16:
    case DenseType::kBF16:
      return true;
    case DenseType::kQ8_0:
    case DenseType::kQ4_0:
      return k % 32 == 0;
    case DenseType::kQ6_K:
      return k % 256 == 0;
    default:
      return false;
  }
}

uint64_t DenseBytes(DenseType type, int64_t n, int64_t k) {
  if (!DenseTypeHasKernel(type, k)) NoKernel(type, k);
  return static_cast<uint64_t>(Groups(n) * kDenseRowGranule) *
         static_cast<uint64_t>(FileRowBytes(type, k));
}

void PackDenseRows(DenseType type, int64_t n, int64_t k, int64_t row_begin, int64_t row_end,
                   const uint8_t* rows, uint8_t* packed) {
  if (!DenseTypeHasKernel(type, k)) NoKernel(type, k);
  const int64_t row_bytes = FileRowBytes(type, k);
  uint8_t* out = packed + row_begin * row_bytes;
  const int64_t padded_end = row_end == n ? Groups(n) * kDenseRowGranule : row_end;
  if (!Interleaved(type)) {
    std::memcpy(out, rows, static_cast<size_t>((row_end - row_begin) * row_bytes));
    std::memset(out + (row_end - row_begin) * row_bytes, 0,
                static_cast<size_t>((padded_end - row_end) * row_bytes));
    return;
  }
  const bool q6 = type == DenseType::kQ6_K;
  const int64_t columns = q6 ? kQ6Columns : kQ4Columns;
  const int64_t group_bytes = q6 ? kQ6GroupBytes : kQ4GroupBytes;
  const int64_t block_bytes = q6 ? kQ6FileBytes : kQ4FileBytes;
  for (int64_t row = row_begin; row < padded_end; row += kDenseRowGranule) {
    for (int64_t b = 0; b < k / columns; ++b) {
      uint8_t* group = packed + row * row_bytes + b * group_bytes;
      if (row + kDenseRowGranule > row_end) std::memset(group, 0, static_cast<size_t>(group_bytes));
      for (int lane = 0; lane < kDenseRowGranule && row + lane < row_end; ++lane) {
        const uint8_t* block = rows + (row - row_begin + lane) * row_bytes + b * block_bytes;
        if (q6) {
          PackQ6Block(block, lane, group);
        } else {
          PackQ4Block(block, lane, group);
        }
      }
    }
  }
}

void UnpackDenseRow(const DenseView& view, int64_t row, float* out) {
  const int64_t row_bytes = FileRowBytes(view.type, view.k);
  const uint8_t* at = view.data + row * row_bytes;
  const int64_t lane = row % kDenseRowGranule;
  switch (view.type) {
    case DenseType::kF32:
      std::memcpy(out, at, static_cast<size_t>(row_bytes));
      return;
    case DenseType::kF16:
      for (int64_t i = 0; i < view.k; ++i) out[i] = HalfToFloat(at + 2 * i);
      return;
    case DenseType::kBF16:
      for (int64_t i = 0; i < view.k; ++i) {
        uint16_t h;
        std::memcpy(&h, at + 2 * i, sizeof(h));
        out[i] = std::bit_cast<float>(static_cast<uint32_t>(h) << 16);
      }
      return;
    case DenseType::kQ8_0:
      for (int64_t b = 0; b < view.k / kQ8Columns; ++b, at += kQ8FileBytes) {
        const float d = HalfToFloat(at);
        for (int i = 0; i < kQ8Columns; ++i) {
          *out++ = d * static_cast<float>(static_cast<int8_t>(at[2 + i]));
        }
      }
      return;
    case DenseType::kQ4_0:
      at = view.data + (row - lane) * row_bytes;
      for (int64_t b = 0; b < view.k / kQ4Columns; ++b, at += kQ4GroupBytes) {
        const float d = HalfToFloat(at + 2 * lane);
        for (int c = 0; c < kQ4Columns; ++c) {
          const uint32_t word = LoadU32(at + kQ4WordsOffset + 64 * (c / 8) + 4 * lane);
          *out++ = d * static_cast<float>(static_cast<int>(word >> (4 * (c % 8)) & 15u) - 8);
        }
      }
      return;
    case DenseType::kQ6_K:
      at = view.data + (row - lane) * row_bytes;
      for (int64_t b = 0; b < view.k / kQ6Columns; ++b, at += kQ6GroupBytes) {
        const float d = HalfToFloat(at + 2 * lane);
        for (int s = 0; s < 16; ++s) {
          const auto scale = static_cast<int8_t>(at[kQ6ScalesOffset + 16 * s + lane]);
          const float factor = d * static_cast<float>(scale);
          const uint8_t* words = at + kQ6WordsOffset + 192 * s + 4 * lane;
          const uint32_t w[3] = {LoadU32(words), LoadU32(words + 64), LoadU32(words + 128)};
          for (int i = 0; i < 16; ++i) {
            const int at_bit = 8 * (i % 4);
            const uint32_t code = i < 12 ? w[i / 4] >> at_bit & 63u
                                         : (w[0] >> (at_bit + 6) & 3u) |
                                               (w[1] >> (at_bit + 6) & 3u) << 2 |
                                               (w[2] >> (at_bit + 6) & 3u) << 4;
            *out++ = factor * static_cast<float>(static_cast<int>(code) - 32);
          }
        }
      }
      return;
    default:
      NoKernel(view.type, view.k);
  }
}

int64_t DensePreparedFloats(DenseType type, int64_t k) {
  const int64_t sums = type == DenseType::kQ6_K ? k / 16 : type == DenseType::kQ4_0 ? k / 32 : 0;
  return (k + sums + 15) / 16 * 16;
}

void PrepareDenseInput(DenseType type, int64_t k, const float* x, float* prepared) {
  if (!Interleaved(type)) {
    std::memcpy(prepared, x, sizeof(float) * static_cast<size_t>(k));
    return;
  }
  const bool q6 = type == DenseType::kQ6_K;
  const int64_t sub = q6 ? 16 : 32;
  const float offset = q6 ? -32.0f : -8.0f;
  float* sums = prepared + k;
  for (int64_t s = 0; s < k / sub; ++s) {
    float sum = 0;
    for (int64_t i = 0; i < sub; ++i) {
      const float value = x[s * sub + i];
      sum += value;
      // The code stands at bit `place` of its word: the input takes the power of two.
      const int64_t place = q6 ? 8 * (i % 4) : (i % 8 < 7 ? 4 * (i % 8) : 0);
      prepared[s * sub + i] = value * (1.0f / static_cast<float>(1u << place));
    }
    sums[s] = offset * sum;
  }
}

}  // namespace trit::ops
