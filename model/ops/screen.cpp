// See screen.h. Lanes are rows, as in dense_kernels.cpp; integer sums are exact, float operations
// have one order a row, so every vector target with fused multiply-add gives the same bits.
#include "model/ops/screen.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/ops/dense_layout.h"
#include "model/ops/ops.h"
#include "targets/base/error.h"

#define HWY_WANT_AVX3_DL  // vpdpbusd
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/ops/screen.cpp"
#include "model/ops/vector_targets.h"

#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "model/ops/q6-inl.h"

HWY_BEFORE_NAMESPACE();
namespace trit::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// sum + the four products of unsigned bytes (below 64) and signed bytes in each 32-bit lane.
HWY_INLINE Vi DotQuads(Vi sum, Vi codes, Vi values) {
#if HWY_TARGET == HWY_AVX3_DL
  // Highway 1.0.3 compiles this target with avxvnni in avx512vnni's place: no intrinsic.
  asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(codes.raw), "v"(values.raw));
  return sum;
#elif HWY_TARGET == HWY_AVX3  // 2 * 63 * 128 fits 16 bits: maddubs never saturates
  return Vi{_mm512_add_epi32(sum.raw, _mm512_madd_epi16(_mm512_maddubs_epi16(codes.raw, values.raw),
                                                        _mm512_set1_epi16(1)))};
#elif HWY_TARGET == HWY_AVX2
  return Vi{_mm256_add_epi32(sum.raw, _mm256_madd_epi16(_mm256_maddubs_epi16(codes.raw, values.raw),
                                                        _mm256_set1_epi16(1)))};
#elif HWY_TARGET == HWY_SSE4
  return Vi{_mm_add_epi32(
      sum.raw, _mm_madd_epi16(_mm_maddubs_epi16(codes.raw, values.raw), _mm_set1_epi16(1)))};
#else
  const Di d;
  const auto low = hn::Set(d, 255);
  const auto product = [&](Vi code, Vi value) {
    return hn::Mul(hn::And(code, low), hn::ShiftRight<24>(hn::ShiftLeft<24>(value)));
  };
  sum = hn::Add(sum, product(codes, values));
  sum = hn::Add(sum, product(hn::ShiftRight<8>(codes), hn::ShiftRight<8>(values)));
  sum = hn::Add(sum, product(hn::ShiftRight<16>(codes), hn::ShiftRight<16>(values)));
  return hn::Add(sum, product(hn::ShiftRight<24>(codes), hn::ShiftRight<24>(values)));
#endif
}

// The same with four bytes for all lanes.
HWY_INLINE Vi DotQuads(Vi sum, Vi codes, const int8_t* four) {
#if HWY_TARGET == HWY_AVX3_DL
  asm("vpdpbusd %2%{1to16%}, %1, %0"
      : "+v"(sum.raw)
      : "v"(codes.raw), "m"(*reinterpret_cast<const int8_t(*)[4]>(four)));
  return sum;
#else
  int32_t word;
  std::memcpy(&word, four, sizeof(word));
  return DotQuads(sum, codes, hn::Set(Di(), word));
#endif
}

// Tokens of one call of ScreenAll's inner loops at most: their totals fill 1 KB a vector of rows.
constexpr int64_t kScreenTokens = 16;

// One block of 64 columns, kGroups x 16 rows (or one vector of 16 rows), kTokens tokens:
// totals[g * kScreenTokens + t] grows by the block's sum. `groups` are the 16 rows each at their
// 256 columns that hold block b; `first` when nobody read this block before.
//
// A word of four inputs is broadcast once for all kGroups: Zen 4 loads one 512-bit register a
// cycle, broadcasts included, and does one 512-bit dot product a cycle. With a broadcast in each
// dot product, loads alone took 1.7 times as long as the products. (Keeping unpacked codes for the
// next tokens loses for the same reason: 13.5 against 11 ms for 8 tokens and 128256 x 2560.)
template <int kGroups, int kTokens>
HWY_INLINE void ScreenBlockRows(const uint8_t* const* groups, int lane, int64_t b, bool first,
                                const ScreenBlock* in, int64_t blocks, Vf* totals) {
  const Df d;
  const Di di;
  Vf scale[kGroups], sums[kGroups][kTokens];
  for (int g = 0; g < kGroups; ++g) {
    scale[g] = Q6Scale(groups[g], lane);
    for (auto& v : sums[g]) v = hn::Zero(d);
  }
  for (int s = 0; s < 4; ++s) {
    const int sub = static_cast<int>(b % 4) * 4 + s;
    Vf factor[kGroups];
    Vi codes[kGroups][4];
    for (int g = 0; g < kGroups; ++g) {
      factor[g] = Q6Factor(groups[g], lane, sub, scale[g]);
      const Q6Words words = LoadQ6Words(groups[g], lane, sub, first);
      for (int j = 0; j < 3; ++j) codes[g][j] = hn::And(words.w[j], hn::Set(di, 0x3f3f3f3f));
      codes[g][3] = Q6Fourth(words);
    }
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) {
      const ScreenBlock& block = in[t * blocks];
      const int8_t* q = block.q + 16 * s;
      Vi sum[kGroups];
      for (auto& v : sum) v = hn::Set(di, block.start[s]);
      for (int j = 0; j < 4; ++j) {
        if constexpr (kGroups == 1) {
          sum[0] = DotQuads(sum[0], codes[0][j], q + 4 * j);
        } else {
          int32_t word;
          std::memcpy(&word, q + 4 * j, sizeof(word));
          const Vi four = hn::Set(di, word);
          for (int g = 0; g < kGroups; ++g) sum[g] = DotQuads(sum[g], codes[g][j], four);
        }
      }
      for (int g = 0; g < kGroups; ++g) {
        sums[g][t] = hn::MulAdd(hn::ConvertTo(d, sum[g]), factor[g], sums[g][t]);
      }
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < kTokens; ++t) {
    const Vf input_scale = hn::Set(d, in[t * blocks].scale);
    for (int g = 0; g < kGroups; ++g) {
      Vf& total = totals[g * kScreenTokens + t];
      total = hn::MulAdd(sums[g][t], input_scale, total);
    }
  }
}

struct ScreenJob {
  const uint8_t* data;
  int64_t k;
  const ScreenBlock* blocks;
  float* y;
  int64_t y_stride;
};

// kGroups x 16 rows x at most kScreenTokens tokens. The tokens' turns are inside a block: the
// weights come from memory evenly, and from L1 for all but the first turn.
template <int kGroups>
void ScreenRows(const ScreenJob& job, int64_t row, int64_t token, int64_t tokens) {
  const Df d;
  const int64_t blocks = job.k / kScreenColumns;
  const int64_t group_bytes = job.k / kQ6Columns * kQ6GroupBytes;
  for (int lane = 0; lane < 16; lane += kVec) {
    Vf totals[kGroups * kScreenTokens];
    for (auto& v : totals) v = hn::Zero(d);
    for (int64_t b = 0; b < blocks; ++b) {
      const uint8_t* groups[kGroups];
      for (int g = 0; g < kGroups; ++g) {
        groups[g] = job.data + (row / 16 + g) * group_bytes + b / 4 * kQ6GroupBytes;
      }
      const ScreenBlock* in = job.blocks + token * blocks + b;
      int64_t t = 0;
      for (; t + 4 <= tokens; t += 4) {
        ScreenBlockRows<kGroups, 4>(groups, lane, b, t == 0, in + t * blocks, blocks, totals + t);
      }
      if (t + 2 <= tokens) {
        ScreenBlockRows<kGroups, 2>(groups, lane, b, t == 0, in + t * blocks, blocks, totals + t);
        t += 2;
      }
      if (t < tokens) {
        ScreenBlockRows<kGroups, 1>(groups, lane, b, t == 0, in + t * blocks, blocks, totals + t);
      }
    }
    for (int g = 0; g < kGroups; ++g) {
      float* y = job.y + row + 16 * g + lane;
      for (int64_t t = 0; t < tokens; ++t) {
        hn::StoreU(totals[g * kScreenTokens + t], d, y + (token + t) * job.y_stride);
      }
    }
  }
}

void ScreenAll(const DenseView& view, const ScreenBlock* blocks, int64_t tokens, int64_t begin,
               int64_t end, float* y, int64_t y_stride) {
  const ScreenJob job{view.data, view.k, blocks, y, y_stride};
  for (int64_t token = 0; token < tokens; token += kScreenTokens) {
    const int64_t count = std::min(kScreenTokens, tokens - token);
    int64_t row = begin;
    if constexpr (kVec == 16) {  // 8 sums, 8 vectors of codes: 32 registers are enough, 16 are not
      for (; row + 32 <= end; row += 32) ScreenRows<2>(job, row, token, count);
    }
    for (; row < end; row += kDenseRowGranule) ScreenRows<1>(job, row, token, count);
  }
}

// The largest squared norm: of a row's 16 columns, sum of (code - 32)^2 is
// 16 * 1024 + sum of code * (code - 64), and a code is below 64.
float LargestSquare(const DenseView& view, int64_t begin, int64_t end) {
  const Df d;
  const Di di;
  Vf largest = hn::Zero(d);
  for (int64_t row = begin; row < end; row += kDenseRowGranule) {
    const uint8_t* groups = view.data + row * (view.k / kQ6Columns * kQ6FileBytes);
    for (int lane = 0; lane < 16; lane += kVec) {
      Vf total = hn::Zero(d);
      for (int64_t sub = 0; sub < view.k / 16; ++sub) {
        const uint8_t* group = groups + sub / 16 * kQ6GroupBytes;
        const int s = static_cast<int>(sub % 16);
        const Vf factor = Q6Factor(group, lane, s, Q6Scale(group, lane));
        const Q6Words words = LoadQ6Words(group, lane, s);
        Vi sum = hn::Set(di, 16 * 1024);
        const Vi minus_64 = hn::Set(di, static_cast<int32_t>(0xc0c0c0c0u));
        for (int j = 0; j < 4; ++j) {
          const Vi codes = j < 3 ? hn::And(words.w[j], hn::Set(di, 0x3f3f3f3f)) : Q6Fourth(words);
          sum = DotQuads(DotQuads(sum, codes, codes), codes, minus_64);
        }
        total = hn::MulAdd(hn::ConvertTo(d, sum), hn::Mul(factor, factor), total);
      }
      largest = hn::Max(largest, total);
    }
  }
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

// q = round_half_even(x / scale), at most 127 in size; returns the squared size of what was lost.
double RoundBlock(const float* x, float scale, int8_t* q) {
  const Df d;
  const hn::Rebind<int8_t, Df> d8;
  const Vf inverse = hn::Set(d, scale > 0 ? 1.0f / scale : 0.0f);
  for (int i = 0; i < kScreenColumns; i += kVec) {
    Vf v = hn::Mul(hn::LoadU(d, x + i), inverse);
    v = hn::Min(hn::Max(v, hn::Set(d, -127.0f)), hn::Set(d, 127.0f));
    hn::StoreU(hn::DemoteTo(d8, hn::ConvertTo(Di(), hn::Round(v))), d8, q + i);
  }
  double lost = 0;
  for (int i = 0; i < kScreenColumns; ++i) {
    const double r = x[i] - static_cast<double>(scale) * q[i];
    lost += r * r;
  }
  return lost;
}

}  // namespace trit::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace trit::ops {
HWY_EXPORT(ScreenAll);
HWY_EXPORT(LargestSquare);
HWY_EXPORT(RoundBlock);

bool ScreenHasKernel(DenseType type, int64_t k) {
  return type == DenseType::kQ6_K && DenseTypeHasKernel(type, k);
}

float PrepareScreenInput(const float* x, int64_t k, float largest_row_norm, ScreenBlock* blocks) {
  double lost = 0, size = 0;
  for (int64_t b = 0; b < k / kScreenColumns; ++b, x += kScreenColumns) {
    ScreenBlock& block = blocks[b];
    float largest = 0;
    for (int i = 0; i < kScreenColumns; ++i) {
      largest = std::max(largest, std::fabs(x[i]));
      size += static_cast<double>(x[i]) * x[i];
    }
    block.scale = largest / 127.0f;
    lost += HWY_DYNAMIC_DISPATCH(RoundBlock)(x, block.scale, block.q);
    for (int s = 0; s < 4; ++s) {
      int sum = 0;
      for (int i = 0; i < 16; ++i) sum += block.q[16 * s + i];
      block.start[s] = -32 * sum;
    }
  }
  // Roundings: a weight's products meet at most 17 + k / 16 float additions in either form, and
  // the dense form adds codes of up to 63 for weights of up to 32.
  const double roundings = 4.0 * (17.0 + static_cast<double>(k) / 16) / (1 << 24);
  return static_cast<float>(1.0001 * largest_row_norm *
                            (std::sqrt(lost) + roundings * std::sqrt(size)));
}

float LargestRowNorm(const DenseView& view, int64_t begin, int64_t end) {
  const float square = HWY_DYNAMIC_DISPATCH(LargestSquare)(view, begin, end);
  return 1.0001f * std::sqrt(square);
}

void MultiplyScreened(const DenseView& view, const ScreenBlock* blocks, int64_t tokens,
                      int64_t n_begin, int64_t n_end, float* y, int64_t y_stride) {
  if (!ScreenHasKernel(view.type, view.k)) {
    throw Error(Join("no screening kernel for type ", static_cast<uint32_t>(view.type), " with ",
                     view.k, " columns; there is Q6_K with a multiple of 256"));
  }
  HWY_DYNAMIC_DISPATCH(ScreenAll)(view, blocks, tokens, n_begin, n_end, y, y_stride);
}

int64_t RefineLargest(const DenseView& view, const float* prepared, float bound, float* y) {
  const float lowest = y[ArgMax(y, view.n)] - 2 * bound;
  const bool all = !(std::fabs(lowest) < HUGE_VALF);
  int64_t groups = 0;
  for (int64_t row = 0; row < view.n; row += kDenseRowGranule) {
    const int64_t end = std::min(row + kDenseRowGranule, view.n);
    bool near = all;
    for (int64_t i = row; i < end; ++i) near |= y[i] >= lowest;
    if (!near) continue;
    MultiplyDense(view, prepared, 1, row, end, y, row + kDenseRowGranule);
    ++groups;
  }
  return groups;
}

}  // namespace trit::ops
#endif  // HWY_ONCE
