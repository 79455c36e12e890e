// See attention.h. Both products are one tile: rows (queries) x columns (positions, or value
// dimensions), k in ascending order, one fused multiply-add chain an output element.
#include "model/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "targets/base/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/ops/attention.cpp"
#include "model/ops/vector_targets.h"

#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "model/ops/exp-inl.h"
#include "model/ops/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace trit::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Df = hn::CappedTag<float, 16>;
using Di = hn::RebindToSigned<Df>;
using Vf = hn::Vec<Df>;

#if HWY_TARGET == HWY_SCALAR
constexpr int kVec = 1;
#else
constexpr int kVec = HWY_MAX_BYTES >= 64 ? 16 : HWY_MAX_BYTES / 4;
#endif
// Accumulators are rows x columns vectors: 6 x 4 with 32 registers, 6 x 2 with 16.
constexpr int kTileRows = 6;
constexpr int kTileVecs = (HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4) ? 2 : 4;

HWY_INLINE Vf LoadAs(const float* p) { return hn::LoadU(Df(), p); }
HWY_INLINE Vf LoadAs(const hwy::float16_t* p) {
  return hn::PromoteTo(Df(), hn::LoadU(hn::Rebind<hwy::float16_t, Df>(), p));
}
HWY_INLINE Vf LoadAs(const int8_t* p) {
  return hn::ConvertTo(Df(), hn::PromoteTo(Di(), hn::LoadU(hn::Rebind<int8_t, Df>(), p)));
}

// c[r, 0 .. kCols vectors) += sum over k < count of a[r][k] * b[k * b_stride + column].
template <int kRows, int kCols, typename T>
HWY_INLINE void Tile(const float* const* a, int count, const T* HWY_RESTRICT b, size_t b_stride,
                     float* HWY_RESTRICT c, size_t c_stride, bool add) {
  const Df d;
  Vf acc[kRows][kCols];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kCols; ++v) {
      acc[r][v] = add ? hn::LoadU(d, c + r * c_stride + v * kVec) : hn::Zero(d);
    }
  }
  for (int k = 0; k < count; ++k) {
    Vf bv[kCols];
#pragma GCC unroll 8
    for (int v = 0; v < kCols; ++v) bv[v] = LoadAs(b + k * b_stride + v * kVec);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vf av = hn::Set(d, a[r][k]);
#pragma GCC unroll 8
      for (int v = 0; v < kCols; ++v) acc[r][v] = hn::MulAdd(av, bv[v], acc[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kCols; ++v) hn::StoreU(acc[r][v], d, c + r * c_stride + v * kVec);
  }
}

// All columns (a multiple of 16) of kRows rows.
template <int kRows, typename T>
HWY_INLINE void TileRow(const float* const* a, int count, const T* b, size_t b_stride, float* c,
                        size_t c_stride, int columns, bool add) {
  int column = 0;
  for (; column + kTileVecs * kVec <= columns; column += kTileVecs * kVec) {
    Tile<kRows, kTileVecs>(a, count, b + column, b_stride, c + column, c_stride, add);
  }
  if constexpr (kTileVecs > 2) {
    for (; column + 2 * kVec <= columns; column += 2 * kVec) {
      Tile<kRows, 2>(a, count, b + column, b_stride, c + column, c_stride, add);
    }
  }
  for (; column < columns; column += kVec) {
    Tile<kRows, 1>(a, count, b + column, b_stride, c + column, c_stride, add);
  }
}

template <typename T>
HWY_INLINE void Product(const float* const* a, int rows, int count, const T* b, size_t b_stride,
                        float* c, size_t c_stride, int columns, bool add) {
  switch (rows) {
    case 6: return TileRow<6>(a, count, b, b_stride, c, c_stride, columns, add);
    case 5:
      TileRow<4>(a, count, b, b_stride, c, c_stride, columns, add);
      return TileRow<1>(a + 4, count, b, b_stride, c + 4 * c_stride, c_stride, columns, add);
    case 4: return TileRow<4>(a, count, b, b_stride, c, c_stride, columns, add);
    case 3:
      TileRow<2>(a, count, b, b_stride, c, c_stride, columns, add);
      return TileRow<1>(a + 2, count, b, b_stride, c + 2 * c_stride, c_stride, columns, add);
    case 2: return TileRow<2>(a, count, b, b_stride, c, c_stride, columns, add);
    default: return TileRow<1>(a, count, b, b_stride, c, c_stride, columns, add);
  }
}

constexpr int kSumLanes = 16;  // virtual lanes of a row's running denominator

// One row of 64 scores, `valid` of them real: scores become probabilities relative to the running
// maximum. Returns the factor for what was summed before.
HWY_INLINE float SoftmaxRow(float* HWY_RESTRICT scores, int valid, float* HWY_RESTRICT maximum,
                            float* HWY_RESTRICT denominator) {
  const Df d;
  const Vf lowest = hn::Set(d, -3.0e38f);
  Vf best = lowest;
  for (int i = 0; i < kKvPositions; i += kVec) {
    Vf s = hn::LoadU(d, scores + i);
    if (i + kVec > valid) {
      const auto lane = hn::Iota(Di(), i);
      const auto real = hn::RebindMask(d, hn::Lt(lane, hn::Set(Di(), valid)));
      s = hn::IfThenElse(real, s, lowest);
      hn::StoreU(s, d, scores + i);
    }
    best = hn::Max(best, s);
  }
  const float before = *maximum;
  const float now = std::max(before, hn::GetLane(hn::MaxOfLanes(d, best)));
  *maximum = now;
  const float factor =
      now == before ? 1.0f
                    : hn::GetLane(Exp(hn::CappedTag<float, 1>(),
                                      hn::Set(hn::CappedTag<float, 1>(), before - now)));
  const Vf shift = hn::Set(d, now);
  const Vf scale = hn::Set(d, factor);
  for (int lane = 0; lane < kSumLanes; lane += kVec) {
    Vf p[kKvPositions / kSumLanes];
#pragma GCC unroll 8
    for (int j = 0; j < kKvPositions / kSumLanes; ++j) {
      float* at = scores + lane + j * kSumLanes;
      p[j] = Exp(d, hn::Sub(hn::LoadU(d, at), shift));
      hn::StoreU(p[j], d, at);
    }
    const Vf sum = hn::Add(hn::Add(p[0], p[1]), hn::Add(p[2], p[3]));
    hn::StoreU(hn::MulAdd(hn::LoadU(d, denominator + lane), scale, sum), d, denominator + lane);
  }
  return factor;
}

HWY_INLINE void ScaleRow(float* row, int n, float factor) {
  const Df d;
  const Vf scale = hn::Set(d, factor);
  for (int i = 0; i < n; i += kVec) hn::StoreU(hn::Mul(hn::LoadU(d, row + i), scale), d, row + i);
}

HWY_INLINE void MultiplyRow(float* row, const float* factors, int n) {
  const Df d;
  for (int i = 0; i < n; i += kVec) {
    hn::StoreU(hn::Mul(hn::LoadU(d, row + i), hn::LoadU(d, factors + i)), d, row + i);
  }
}

template <typename T>
HWY_INLINE void AttentionOf(const AttentionCall& call) {
  const KvBlockShape& shape = call.shape;
  const int head_dim = shape.head_dim;
  const int dim_padded = shape.dim_padded();
  const int rows = call.tokens * call.heads;
  float* acc = call.scratch;                       // [rows][dim_padded]
  float* scores = acc + static_cast<size_t>(rows) * dim_padded;        // [kTileRows][64]
  float* maxima = scores + kTileRows * kKvPositions;                   // [rows]
  float* denominators = maxima + (rows + 15) / 16 * 16;                // [rows][16]
  std::fill(acc, acc + static_cast<size_t>(rows) * dim_padded, 0.0f);
  std::fill(maxima, maxima + rows, -3.0e38f);
  std::fill(denominators, denominators + static_cast<size_t>(rows) * kSumLanes, 0.0f);

  const int64_t last = call.first_position + call.tokens - 1;
  for (int64_t block = 0; block * kKvPositions <= last; ++block) {
    const auto* base = static_cast<const uint8_t*>(call.blocks[block]) + call.block_offset;
    const T* keys = reinterpret_cast<const T*>(base);
    const T* values = reinterpret_cast<const T*>(base + shape.values_offset());
    const float* scales = reinterpret_cast<const float*>(base + shape.scales_offset());
    // Rows are token-major; tokens that end before this block have nothing to do here.
    const int64_t first_token = std::max<int64_t>(0, block * kKvPositions - call.first_position);
    for (int row = static_cast<int>(first_token) * call.heads; row < rows; row += kTileRows) {
      const int count = std::min(kTileRows, rows - row);
      const float* queries[kTileRows];
      const float* probabilities[kTileRows];
      int valid[kTileRows];
      for (int r = 0; r < count; ++r) {
        const int token = (row + r) / call.heads;
        const int head = (row + r) % call.heads;
        queries[r] = call.q + token * call.q_stride + head * head_dim;
        probabilities[r] = scores + r * kKvPositions;
        valid[r] = static_cast<int>(std::min<int64_t>(
            kKvPositions, call.first_position + token + 1 - block * kKvPositions));
      }
      const int most = valid[count - 1];
      const int columns = (most + 15) / 16 * 16;
      Product(queries, count, head_dim, keys, kKvPositions, scores, kKvPositions, columns, false);
      for (int r = 0; r < count; ++r) {
        float* row_scores = scores + r * kKvPositions;
        if constexpr (sizeof(T) == 1) MultiplyRow(row_scores, scales, columns);
        const float factor = SoftmaxRow(row_scores, valid[r], maxima + row + r,
                                        denominators + static_cast<size_t>(row + r) * kSumLanes);
        if (factor != 1.0f) {
          ScaleRow(acc + static_cast<size_t>(row + r) * dim_padded, dim_padded, factor);
        }
        if constexpr (sizeof(T) == 1) MultiplyRow(row_scores, scales + kKvPositions, kKvPositions);
      }
      Product(probabilities, count, most, values, static_cast<size_t>(dim_padded),
              acc + static_cast<size_t>(row) * dim_padded, static_cast<size_t>(dim_padded),
              dim_padded, true);
    }
  }

  for (int row = 0; row < rows; ++row) {
    Vf lanes[kSumLanes / kVec];
    for (int i = 0; i < kSumLanes / kVec; ++i) {
      lanes[i] = hn::LoadU(Df(), denominators + static_cast<size_t>(row) * kSumLanes + i * kVec);
    }
    const float denominator = ReduceVectors<kSumLanes / kVec>(AddOp(), Df(), lanes);
    float* line = acc + static_cast<size_t>(row) * dim_padded;
    ScaleRow(line, dim_padded, 1.0f / denominator);
    std::memcpy(call.out + (row / call.heads) * call.out_stride + (row % call.heads) * head_dim,
                line, sizeof(float) * static_cast<size_t>(head_dim));
  }
}

void AttentionF16(const AttentionCall& call) { AttentionOf<hwy::float16_t>(call); }
void AttentionF32(const AttentionCall& call) { AttentionOf<float>(call); }
void AttentionInt8(const AttentionCall& call) { AttentionOf<int8_t>(call); }

void ToF16(const float* x, int n, uint16_t* y) {
  const Df d;
  const hn::Rebind<hwy::float16_t, Df> dh;
  const hn::CappedTag<float, 1> d1;
  const hn::Rebind<hwy::float16_t, hn::CappedTag<float, 1>> dh1;
  int i = 0;
  for (; i + kVec <= n; i += kVec) {
    hn::StoreU(hn::DemoteTo(dh, hn::LoadU(d, x + i)), dh, reinterpret_cast<hwy::float16_t*>(y + i));
  }
  for (; i < n; ++i) {
    hn::StoreU(hn::DemoteTo(dh1, hn::LoadU(d1, x + i)), dh1,
               reinterpret_cast<hwy::float16_t*>(y + i));
  }
}

}  // namespace trit::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace trit::ops {
HWY_EXPORT(AttentionF16);
HWY_EXPORT(AttentionF32);
HWY_EXPORT(AttentionInt8);
HWY_EXPORT(ToF16);

void ConvertToF16(const float* x, int n, uint16_t* y) { HWY_DYNAMIC_DISPATCH(ToF16)(x, n, y); }

size_t AttentionScratchFloats(const KvBlockShape& shape, int rows) {
  const size_t r = static_cast<size_t>(rows);
  return r * static_cast<size_t>(shape.dim_padded()) + 6 * kKvPositions + (r + 15) / 16 * 16 +
         r * 16;
}

void Attention(const AttentionCall& call) {
  switch (call.shape.type) {
    case KvType::kF16: return HWY_DYNAMIC_DISPATCH(AttentionF16)(call);
    case KvType::kF32: return HWY_DYNAMIC_DISPATCH(AttentionF32)(call);
    case KvType::kInt8: return HWY_DYNAMIC_DISPATCH(AttentionInt8)(call);
  }
}

}  // namespace trit::ops
#endif  // HWY_ONCE
