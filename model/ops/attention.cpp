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

#include "hwy/cache_control.h"
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

HWY_INLINE Vf LoadAs(const float* p) {
  return hn::LoadU(Df(), p);
}
HWY_INLINE Vf LoadAs(const hwy::float16_t* p) {
  return hn::PromoteTo(Df(), hn::LoadU(hn::Rebind<hwy::float16_t, Df>(), p));
}
HWY_INLINE Vf LoadAs(const int8_t* p) {
  return hn::ConvertTo(Df(), hn::PromoteTo(Di(), hn::LoadU(hn::Rebind<int8_t, Df>(), p)));
}

// c[r, 0 .. kCols vectors) += sum over k < count of a[r][k] * b[k * b_stride + column]. Unless
// null, as many bytes from `ahead` on are fetched as are read of b. Not inlined: 36 forms in each
// target, at four places each, would take minutes to compile.
template <int kRows, int kCols, typename T>
HWY_NOINLINE void Tile(const float* const* a, int count, const T* HWY_RESTRICT b, size_t b_stride,
                       float* HWY_RESTRICT c, size_t c_stride, bool add, const uint8_t* ahead) {
  constexpr size_t kStep = kCols * kVec * sizeof(T);
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
    if (ahead != nullptr) {
#pragma GCC unroll 8
      for (size_t i = 0; i < kStep; i += 64) hwy::Prefetch(ahead + k * kStep + i);
    }
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
                        size_t c_stride, int columns, bool add, const uint8_t* ahead) {
  const auto ahead_of = [&](int at) {
    return ahead == nullptr ? nullptr : ahead + static_cast<size_t>(at) * count * sizeof(T);
  };
  int column = 0;
  for (; column + kTileVecs * kVec <= columns; column += kTileVecs * kVec) {
    Tile<kRows, kTileVecs>(a, count, b + column, b_stride, c + column, c_stride, add,
                           ahead_of(column));
  }
  if constexpr (kTileVecs > 2) {
    for (; column + 2 * kVec <= columns; column += 2 * kVec) {
      Tile<kRows, 2>(a, count, b + column, b_stride, c + column, c_stride, add, ahead_of(column));
    }
  }
  for (; column < columns; column += kVec) {
    Tile<kRows, 1>(a, count, b + column, b_stride, c + column, c_stride, add, ahead_of(column));
  }
}

template <typename T>
HWY_INLINE void Product(const float* const* a, int rows, int count, const T* b, size_t b_stride,
                        float* c, size_t c_stride, int columns, bool add, const uint8_t* ahead) {
  switch (rows) {
    case 6:
      return TileRow<6>(a, count, b, b_stride, c, c_stride, columns, add, ahead);
    case 5:
      TileRow<4>(a, count, b, b_stride, c, c_stride, columns, add, ahead);
      return TileRow<1>(a + 4, count, b, b_stride, c + 4 * c_stride, c_stride, columns, add,
                        nullptr);
    case 4:
      return TileRow<4>(a, count, b, b_stride, c, c_stride, columns, add, ahead);
    case 3:
      TileRow<2>(a, count, b, b_stride, c, c_stride, columns, add, ahead);
      return TileRow<1>(a + 2, count, b, b_stride, c + 2 * c_stride, c_stride, columns, add,
                        nullptr);
    case 2:
      return TileRow<2>(a, count, b, b_stride, c, c_stride, columns, add, ahead);
    default:
      return TileRow<1>(a, count, b, b_stride, c, c_stride, columns, add, ahead);
  }
}

constexpr int kSumLanes = 16;  // virtual lanes of a row's running denominator

// The factor for what was summed relative to the maximum `before`.
HWY_INLINE float Rescale(float before, float now) {
  const hn::CappedTag<float, 1> d;
  return now == before ? 1.0f : hn::GetLane(Exp(d, hn::Set(d, before - now)));
}

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
  const float factor = Rescale(before, now);
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

// What is known of rows (queries) after some positions; lies in AttentionStateFloats floats.
struct State {
  State(float* memory, const KvBlockShape& shape, int rows)
      : dim(shape.dim_padded()),
        sums(memory),
        maxima(sums + static_cast<size_t>(rows) * static_cast<size_t>(dim)),
        denominators(maxima + (rows + 15) / 16 * 16) {}

  float* Sums(int row) const { return sums + static_cast<size_t>(row) * static_cast<size_t>(dim); }
  float* Denominators(int row) const { return denominators + static_cast<size_t>(row) * kSumLanes; }

  int dim;
  float *sums, *maxima, *denominators;  // [rows][dim], [rows], [rows][kSumLanes]
};

int Rows(const AttentionCall& call) {
  return call.tokens * call.heads;
}

// Rows are token-major; the first that sees `position` or a later one.
int FirstRow(const AttentionCall& call, int64_t position) {
  return static_cast<int>(std::max<int64_t>(0, position - call.first_position)) * call.heads;
}

template <typename T>
HWY_INLINE void Chunk(const AttentionCall& call, int64_t chunk, const State& state,
                      float* HWY_RESTRICT scores) {
  const KvBlockShape& shape = call.shape;
  const int head_dim = shape.head_dim, dim_padded = shape.dim_padded(), rows = Rows(call);
  constexpr int64_t kBlocks = kAttentionChunk / kKvPositions;
  const int first_row = FirstRow(call, chunk * kAttentionChunk);
  std::fill(state.Sums(first_row), state.Sums(rows), 0.0f);
  std::fill(state.maxima + first_row, state.maxima + rows, -3.0e38f);
  std::fill(state.Denominators(first_row), state.Denominators(rows), 0.0f);

  const int64_t last = (call.first_position + call.tokens - 1) / kKvPositions;
  const int64_t end = std::min(last + 1, (chunk + 1) * kBlocks);
  for (int64_t block = chunk * kBlocks; block < end; ++block) {
    const auto* base = static_cast<const uint8_t*>(call.blocks[block]) + call.block_offset;
    const T* keys = reinterpret_cast<const T*>(base);
    const T* values = reinterpret_cast<const T*>(base + shape.values_offset());
    const float* scales = reinterpret_cast<const float*>(base + shape.scales_offset());
    const uint8_t* next =
        static_cast<const uint8_t*>(call.blocks[std::min(block + 1, last)]) + call.block_offset;
    const int begin = FirstRow(call, block * kKvPositions);
    for (int row = begin; row < rows; row += kTileRows) {
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
      const bool fetch = row == begin;  // later rows find it all in the cache
      Product(queries, count, head_dim, keys, kKvPositions, scores, kKvPositions, columns, false,
              fetch ? base + shape.values_offset() : nullptr);
      for (int r = 0; r < count; ++r) {
        float* row_scores = scores + r * kKvPositions;
        if constexpr (sizeof(T) == 1) MultiplyRow(row_scores, scales, columns);
        const float factor =
            SoftmaxRow(row_scores, valid[r], state.maxima + row + r, state.Denominators(row + r));
        if (factor != 1.0f) ScaleRow(state.Sums(row + r), dim_padded, factor);
        if constexpr (sizeof(T) == 1) MultiplyRow(row_scores, scales + kKvPositions, kKvPositions);
      }
      Product(probabilities, count, most, values, static_cast<size_t>(dim_padded), state.Sums(row),
              static_cast<size_t>(dim_padded), dim_padded, true, fetch ? next : nullptr);
    }
  }
}

HWY_INLINE void AddRow(float* a, float scale_a, const float* b, float scale_b, int n) {
  const Df d;
  const Vf sa = hn::Set(d, scale_a), sb = hn::Set(d, scale_b);
  for (int i = 0; i < n; i += kVec) {
    const Vf scaled = hn::Mul(hn::LoadU(d, a + i), sa);
    hn::StoreU(hn::MulAdd(hn::LoadU(d, b + i), sb, scaled), d, a + i);
  }
}

// Rows from first_row on: `into` goes on with the positions of `more`, which come after its own.
HWY_INLINE void Merge(const State& into, const State& more, int first_row, int rows) {
  for (int row = first_row; row < rows; ++row) {
    const float now = std::max(into.maxima[row], more.maxima[row]);
    const float a = Rescale(into.maxima[row], now), b = Rescale(more.maxima[row], now);
    into.maxima[row] = now;
    AddRow(into.Sums(row), a, more.Sums(row), b, into.dim);
    AddRow(into.Denominators(row), a, more.Denominators(row), b, kSumLanes);
  }
}

HWY_INLINE void Finish(const AttentionCall& call, const State& state) {
  const int head_dim = call.shape.head_dim;
  for (int row = 0; row < Rows(call); ++row) {
    Vf lanes[kSumLanes / kVec];
    for (int i = 0; i < kSumLanes / kVec; ++i) {
      lanes[i] = hn::LoadU(Df(), state.Denominators(row) + i * kVec);
    }
    const float denominator = ReduceVectors<kSumLanes / kVec>(AddOp(), Df(), lanes);
    ScaleRow(state.Sums(row), state.dim, 1.0f / denominator);
    std::memcpy(call.out + (row / call.heads) * call.out_stride + (row % call.heads) * head_dim,
                state.Sums(row), sizeof(float) * static_cast<size_t>(head_dim));
  }
}

int64_t Chunks(const AttentionCall& call) {
  return AttentionChunks(call.first_position + call.tokens - 1);
}

template <typename T>
HWY_INLINE void AttentionOf(const AttentionCall& call) {
  const int rows = Rows(call);
  float* scores = call.scratch;
  float* memory = scores + kTileRows * kKvPositions;
  const State all(memory, call.shape, rows);
  const State more(memory + AttentionStateFloats(call.shape, rows), call.shape, rows);
  Chunk<T>(call, 0, all, scores);
  for (int64_t chunk = 1; chunk < Chunks(call); ++chunk) {
    Chunk<T>(call, chunk, more, scores);
    Merge(all, more, FirstRow(call, chunk * kAttentionChunk), rows);
  }
  Finish(call, all);
}

void AttentionF16(const AttentionCall& call) {
  AttentionOf<hwy::float16_t>(call);
}
void AttentionF32(const AttentionCall& call) {
  AttentionOf<float>(call);
}
void AttentionInt8(const AttentionCall& call) {
  AttentionOf<int8_t>(call);
}

template <typename T>
HWY_INLINE void ChunkOf(const AttentionCall& call, int64_t chunk, float* state) {
  Chunk<T>(call, chunk, State(state, call.shape, Rows(call)), call.scratch);
}

void ChunkF16(const AttentionCall& c, int64_t i, float* s) {
  ChunkOf<hwy::float16_t>(c, i, s);
}
void ChunkF32(const AttentionCall& c, int64_t i, float* s) {
  ChunkOf<float>(c, i, s);
}
void ChunkInt8(const AttentionCall& c, int64_t i, float* s) {
  ChunkOf<int8_t>(c, i, s);
}

void MergeAll(const AttentionCall& call, float* states) {
  const int rows = Rows(call);
  const size_t floats = AttentionStateFloats(call.shape, rows);
  const State all(states, call.shape, rows);
  for (int64_t chunk = 1; chunk < Chunks(call); ++chunk) {
    Merge(all, State(states + static_cast<size_t>(chunk) * floats, call.shape, rows),
          FirstRow(call, chunk * kAttentionChunk), rows);
  }
  Finish(call, all);
}

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
HWY_EXPORT(ChunkF16);
HWY_EXPORT(ChunkF32);
HWY_EXPORT(ChunkInt8);
HWY_EXPORT(MergeAll);
HWY_EXPORT(ToF16);

void ConvertToF16(const float* x, int n, uint16_t* y) {
  HWY_DYNAMIC_DISPATCH(ToF16)(x, n, y);
}

size_t AttentionStateFloats(const KvBlockShape& shape, int rows) {
  const auto r = static_cast<size_t>(rows);
  return r * static_cast<size_t>(shape.dim_padded()) + (r + 15) / 16 * 16 + r * 16;
}

size_t AttentionScratchFloats(const KvBlockShape& shape, int rows) {
  return 6 * kKvPositions + 2 * AttentionStateFloats(shape, rows);
}

void Attention(const AttentionCall& call) {
  switch (call.shape.type) {
    case KvType::kF16:
      return HWY_DYNAMIC_DISPATCH(AttentionF16)(call);
    case KvType::kF32:
      return HWY_DYNAMIC_DISPATCH(AttentionF32)(call);
    case KvType::kInt8:
      return HWY_DYNAMIC_DISPATCH(AttentionInt8)(call);
  }
}

void AttendChunk(const AttentionCall& call, int64_t chunk, float* state) {
  switch (call.shape.type) {
    case KvType::kF16:
      return HWY_DYNAMIC_DISPATCH(ChunkF16)(call, chunk, state);
    case KvType::kF32:
      return HWY_DYNAMIC_DISPATCH(ChunkF32)(call, chunk, state);
    case KvType::kInt8:
      return HWY_DYNAMIC_DISPATCH(ChunkInt8)(call, chunk, state);
  }
}

void MergeChunks(const AttentionCall& call, float* states) {
  HWY_DYNAMIC_DISPATCH(MergeAll)(call, states);
}

}  // namespace trit::ops
#endif  // HWY_ONCE
