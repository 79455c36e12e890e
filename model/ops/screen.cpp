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

// total + first * scale of the first + second * scale of the second: sums and scales of two
// neighbouring subs of 16 columns, all within 16 bits. `scales` is what PairScales makes.
HWY_INLINE Vi AddScaledPair(Vi total, Vi first, Vi second, Vi scales) {
#if HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2 || \
    HWY_TARGET == HWY_SSE4
  const hn::Repartition<int16_t, Di> d16;
  const Vi both = hn::BitCast(
      Di(), hn::OddEven(hn::BitCast(d16, hn::ShiftLeft<16>(second)), hn::BitCast(d16, first)));
#endif
#if HWY_TARGET == HWY_AVX3_DL
  asm("vpdpwssd %2, %1, %0" : "+v"(total.raw) : "v"(both.raw), "v"(scales.raw));
  return total;
#elif HWY_TARGET == HWY_AVX3
  return Vi{_mm512_add_epi32(total.raw, _mm512_madd_epi16(both.raw, scales.raw))};
#elif HWY_TARGET == HWY_AVX2
  return Vi{_mm256_add_epi32(total.raw, _mm256_madd_epi16(both.raw, scales.raw))};
#elif HWY_TARGET == HWY_SSE4
  return Vi{_mm_add_epi32(total.raw, _mm_madd_epi16(both.raw, scales.raw))};
#else
  total = hn::Add(total, hn::Mul(first, hn::ShiftRight<16>(hn::ShiftLeft<16>(scales))));
  return hn::Add(total, hn::Mul(second, hn::ShiftRight<16>(scales)));
#endif
}

// The scales of subs `sub` and `sub + 1`, the first in the low half of a row's lane.
HWY_INLINE Vi PairScales(const uint8_t* group, int lane, int sub) {
  const hn::Rebind<int8_t, Df> d8;
  const int8_t* at = reinterpret_cast<const int8_t*>(group) + kQ6ScalesOffset + 16 * sub + lane;
  const Vi first = hn::PromoteTo(Di(), hn::LoadU(d8, at));
  const Vi second = hn::PromoteTo(Di(), hn::LoadU(d8, at + 16));
  return hn::Or(hn::And(first, hn::Set(Di(), 0xffff)), hn::ShiftLeft<16>(second));
}

enum class Fetch { kNothing, kIdle, kBusy };  // how busy the core is beside reading

// Fetches ahead what lies 1/8 of a group from `at` on. Few tokens wait for memory: the first cache,
// a KiB ahead, is as fast as memory (7.4 ms for 128256 x 2560). Eight tokens take as long to
// compute as to read (7.2 ms), and what comes late is not hidden: 10.0 ms that way from whatever
// distance, 8.0 with the second cache filled from farther ahead.
HWY_INLINE void FetchAhead(const uint8_t* at, Fetch fetch) {
  constexpr int kLines = (kQ6GroupBytes / 8 + 63) / 64;
  if (fetch == Fetch::kIdle) {
    for (int i = 0; i < kLines; ++i) hwy::Prefetch(at + 1088 + 64 * i);
    return;
  }
  for (int i = 0; i < kLines; ++i) {
    __builtin_prefetch(at + 9024 + 64 * i, 0, 2);
    hwy::Prefetch(at + 2112 + 64 * i);
  }
}

// 16 rows (or one vector of them) x 256 columns x kTokens tokens: totals[t] grows by the group's
// sum.
//
// Of a Zen 4 core's four vector pipes two multiply, a 512-bit dot product a cycle: 64 products. So
// multiplications elsewhere count double. A sub's scale costs half a one a token, two subs sharing
// a vpdpwssd; floats are left to every fourth sub. Broadcasts from memory are free: two a cycle.
template <int kTokens>
HWY_INLINE void ScreenGroup(const uint8_t* group, int lane, Fetch fetch, const ScreenBlock* in,
                            Vf* totals) {
  const Df d;
  const Di di;
  Vf parts[kTokens];
  for (auto& v : parts) v = hn::Zero(d);
  for (int b = 0; b < kQ6Columns / kScreenColumns; ++b, in += kScreenTokens) {
    Vi sums[kTokens];
    for (auto& v : sums) v = hn::Zero(di);
#pragma GCC unroll 2
    for (int s = 0; s < 4; s += 2) {
      const int sub = 4 * b + s;
      if (fetch != Fetch::kNothing) {
        FetchAhead(group + kQ6GroupBytes / 8 * (sub / 2), fetch);
      }
      const Vi scales = PairScales(group, lane, sub);
      Vi codes[2][4];
      for (int h = 0; h < 2; ++h) {
        const Q6Words words = LoadQ6Words(group, lane, sub + h, false);
        for (int j = 0; j < 3; ++j) codes[h][j] = hn::And(words.w[j], hn::Set(di, 0x3f3f3f3f));
        codes[h][3] = Q6Fourth(words);
      }
#pragma GCC unroll 8
      for (int t = 0; t < kTokens; ++t) {
        const ScreenBlock& block = in[t];
        Vi sum[2];
        for (int h = 0; h < 2; ++h) {
          sum[h] = hn::Set(di, block.start[s + h]);
          for (int j = 0; j < 4; ++j) {
            sum[h] = DotQuads(sum[h], codes[h][j], block.q + 16 * (s + h) + 4 * j);
          }
        }
        sums[t] = AddScaledPair(sums[t], sum[0], sum[1], scales);
      }
    }
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) {
      parts[t] = hn::MulAdd(hn::ConvertTo(d, sums[t]), hn::Set(d, in[t].scale), parts[t]);
    }
  }
  const Vf scale = Q6Scale(group, lane);
#pragma GCC unroll 8
  for (int t = 0; t < kTokens; ++t) totals[t] = hn::MulAdd(parts[t], scale, totals[t]);
}

struct ScreenJob {
  const uint8_t* data;
  int64_t k;
  const ScreenBlock* blocks;
  float* y;
  int64_t y_stride;
};

// 16 rows x all tokens. The tokens' turns are inside 256 columns: the weights come from memory
// evenly, and from L1 for all but the first turn.
void ScreenRows(const ScreenJob& job, int64_t row, int64_t tokens) {
  const Df d;
  const uint8_t* groups = job.data + row / 16 * (job.k / kQ6Columns * kQ6GroupBytes);
  for (int lane = 0; lane < 16; lane += kVec) {
    Vf totals[kScreenTokens];
    for (auto& v : totals) v = hn::Zero(d);
    for (int64_t c = 0; c < job.k / kQ6Columns; ++c) {
      const uint8_t* group = groups + c * kQ6GroupBytes;
      const ScreenBlock* in = job.blocks + c * (kQ6Columns / kScreenColumns) * kScreenTokens;
      int64_t t = 0;
      const auto turn = [&]<int kTokens>() HWY_ATTR {
        const Fetch fetch = lane > 0 || t > 0 ? Fetch::kNothing
                            : tokens > 4      ? Fetch::kBusy
                                              : Fetch::kIdle;
        ScreenGroup<kTokens>(group, lane, fetch, in + t, totals + t);
        t += kTokens;
      };
      if constexpr (kVec == 16) {  // 8 sums, 8 parts, 8 codes: 32 registers are enough
        while (t + 8 <= tokens) turn.template operator()<8>();
      }
      while (t + 4 <= tokens) turn.template operator()<4>();
      if (t + 2 <= tokens) turn.template operator()<2>();
      if (t < tokens) turn.template operator()<1>();
    }
    float* y = job.y + row + lane;
    for (int64_t t = 0; t < tokens; ++t) {
      hn::StoreU(totals[t], d, y + t * job.y_stride);
    }
  }
}

void ScreenAll(const DenseView& view, const ScreenBlock* blocks, int64_t tokens, int64_t begin,
               int64_t end, float* y, int64_t y_stride) {
  const ScreenJob job{view.data, view.k, blocks, y, y_stride};
  for (int64_t row = begin; row < end; row += kDenseRowGranule) ScreenRows(job, row, tokens);
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
namespace {

// Of 16 columns' sizes over the block's scale. Rounding adds at most 8, so the rounded ones sum to
// at most 1023 (and one for the roundings of floats), and times 32, the largest code, to a sum that
// fits 16 bits. Inputs of a normal distribution seldom come near.
constexpr float kLargestSubSum = 1014.0f;

}  // namespace

HWY_EXPORT(ScreenAll);
HWY_EXPORT(LargestSquare);
HWY_EXPORT(RoundBlock);

bool ScreenHasKernel(DenseType type, int64_t k) {
  return type == DenseType::kQ6_K && DenseTypeHasKernel(type, k);
}

float PrepareScreenInput(const float* x, int64_t k, float largest_row_norm, ScreenBlock* blocks) {
  double lost = 0, size = 0;
  for (int64_t b = 0; b < k / kScreenColumns; ++b, x += kScreenColumns) {
    ScreenBlock& block = blocks[b * kScreenTokens];
    float scale = 0;
    for (int s = 0; s < 4; ++s) {
      float sum = 0;
      for (int i = 0; i < 16; ++i) {
        const float v = std::fabs(x[16 * s + i]);
        scale = std::max(scale, v / 127.0f);
        sum += v;
        size += static_cast<double>(v) * v;
      }
      scale = std::max(scale, sum / kLargestSubSum);
    }
    block.scale = scale;
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
  if (tokens < 1 || tokens > kScreenTokens) {
    throw Error(Join("screening ", tokens, " tokens at once; it takes 1 to ", kScreenTokens));
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
