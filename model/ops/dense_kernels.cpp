// Kernels of the dense head (dense.h). Why `and` + convert and not shifts or table lookups: a word
// lane holds codes at several places; masking one leaves code * 2^place, which converts exactly,
// and the input carries 2^-place. That is three instructions for 16 weights (and, convert,
// multiply-add) on three different ports, enough for Q6_K to keep up with memory.
#include <cstring>

#include "model/ops/dense.h"
#include "model/ops/dense_layout.h"
#include "targets/base/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/ops/dense_kernels.cpp"
#include "model/ops/vector_targets.h"

#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "model/ops/lanes-inl.h"
#include "model/ops/q6-inl.h"

HWY_BEFORE_NAMESPACE();
namespace trit::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Du = hn::RebindToUnsigned<Df>;
using D1 = hn::CappedTag<float, 1>;

constexpr int kRowLanes = 32;  // virtual lanes of a dot product over a row
constexpr int kRowVecs = kRowLanes / kVec;
constexpr bool kWide = kVec == 16;

template <class D>
HWY_INLINE hn::Vec<D> LoadAs(D d, const float* p) {
  return hn::LoadU(d, p);
}
template <class D>
HWY_INLINE hn::Vec<D> LoadAs(D d, const hwy::float16_t* p) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<hwy::float16_t, D>(), p));
}
template <class D>
HWY_INLINE hn::Vec<D> LoadAs(D d, const hwy::bfloat16_t* p) {
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<hwy::bfloat16_t, D>(), p));
}
HWY_INLINE float HalfAt(const uint8_t* p) {
  const D1 d;
  return hn::GetLane(hn::PromoteTo(
      d, hn::LoadU(hn::Rebind<hwy::float16_t, D1>(), reinterpret_cast<const hwy::float16_t*>(p))));
}

struct Job {
  const uint8_t* data;
  int64_t k;
  const float* x;
  int64_t x_stride;
  float* y;
  int64_t y_stride;
};

// Reduces accumulators and writes their logits.
template <int kRows, int kTokens>
HWY_INLINE void StoreTile(const Job& job, int64_t row, int64_t token,
                          Vf (&acc)[kRows][kTokens][kRowVecs]) {
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) {
      job.y[(token + t) * job.y_stride + row + r] =
          ReduceVectors<kRowVecs>(AddOp(), Df(), acc[r][t]);
    }
  }
}

// Columns after the last whole 32: column i into virtual lane i - body.
template <int kRows, int kTokens, typename T>
HWY_NOINLINE void AddTail(const Job& job, const T* const* w, const float* x, int64_t body,
                          Vf (&acc)[kRows][kTokens][kRowVecs]) {
  const Df d;
  const D1 d1;
  for (int r = 0; r < kRows; ++r) {
    for (int t = 0; t < kTokens; ++t) {
      HWY_ALIGN float lanes[kRowLanes];
      for (int v = 0; v < kRowVecs; ++v) hn::StoreU(acc[r][t][v], d, lanes + v * kVec);
      for (int64_t k = body; k < job.k; ++k) {
        const auto wv = LoadAs(d1, w[r] + k);
        const auto xv = hn::LoadU(d1, x + t * job.x_stride + k);
        hn::StoreU(hn::MulAdd(wv, xv, hn::LoadU(d1, lanes + (k - body))), d1, lanes + (k - body));
      }
      for (int v = 0; v < kRowVecs; ++v) acc[r][t][v] = hn::LoadU(d, lanes + v * kVec);
    }
  }
}

// kRows rows x kTokens tokens of a row-major float matrix.
template <int kRows, int kTokens, typename T>
HWY_INLINE void FloatTile(const Job& job, int64_t row, int64_t token) {
  const Df d;
  const T* w[kRows];
  for (int r = 0; r < kRows; ++r) w[r] = reinterpret_cast<const T*>(job.data) + (row + r) * job.k;
  const float* x = job.x + token * job.x_stride;
  Vf acc[kRows][kTokens][kRowVecs];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) {
#pragma GCC unroll 32
      for (int v = 0; v < kRowVecs; ++v) acc[r][t][v] = hn::Zero(d);
    }
  }
  const int64_t body = job.k / kRowLanes * kRowLanes;
  for (int64_t k = 0; k < body; k += kRowLanes) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      PrefetchLine<kPlainAheadBytes>(w[r] + k);
      if constexpr (sizeof(T) == 4) PrefetchLine<kPlainAheadBytes>(w[r] + k + 16);
    }
#pragma GCC unroll 32
    for (int v = 0; v < kRowVecs; ++v) {
      Vf xv[kTokens];
#pragma GCC unroll 8
      for (int t = 0; t < kTokens; ++t) xv[t] = hn::LoadU(d, x + t * job.x_stride + k + v * kVec);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const Vf wv = LoadAs(d, w[r] + k + v * kVec);
#pragma GCC unroll 8
        for (int t = 0; t < kTokens; ++t) acc[r][t][v] = hn::MulAdd(wv, xv[t], acc[r][t][v]);
      }
    }
  }
  if (body < job.k) AddTail<kRows, kTokens, T>(job, w, x, body, acc);
  StoreTile<kRows, kTokens>(job, row, token, acc);
}

template <int kRows, int kTokens>
HWY_INLINE void Q8Tile(const Job& job, int64_t row, int64_t token) {
  const Df d;
  const int64_t row_bytes = job.k / kQ8Columns * kQ8FileBytes;
  const uint8_t* w[kRows];
  for (int r = 0; r < kRows; ++r) w[r] = job.data + (row + r) * row_bytes;
  const float* x = job.x + token * job.x_stride;
  Vf acc[kRows][kTokens][kRowVecs];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int t = 0; t < kTokens; ++t) {
#pragma GCC unroll 32
      for (int v = 0; v < kRowVecs; ++v) acc[r][t][v] = hn::Zero(d);
    }
  }
  for (int64_t b = 0; b < job.k / kQ8Columns; ++b) {
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const uint8_t* block = w[r] + b * kQ8FileBytes;
      PrefetchLine<kPlainAheadBytes>(block);
      const Vf scale = hn::Set(d, HalfAt(block));
#pragma GCC unroll 32
      for (int v = 0; v < kRowVecs; ++v) {
        const Vf wv = hn::Mul(LoadI8(block + 2 + v * kVec), scale);  // as the file's float32 value
#pragma GCC unroll 8
        for (int t = 0; t < kTokens; ++t) {
          const Vf xv = hn::LoadU(d, x + t * job.x_stride + b * kQ8Columns + v * kVec);
          acc[r][t][v] = hn::MulAdd(wv, xv, acc[r][t][v]);
        }
      }
    }
  }
  StoreTile<kRows, kTokens>(job, row, token, acc);
}

HWY_INLINE hn::Vec<Di> LoadWords(const uint8_t* p) {
  return hn::LoadU(Di(), reinterpret_cast<const int32_t*>(p));
}
HWY_INLINE Vf CodeAt(hn::Vec<Di> words, int32_t mask) {
  return hn::ConvertTo(Df(), hn::And(words, hn::Set(Di(), mask)));
}

// 16 rows x kTokens tokens.
template <int kTokens>
HWY_INLINE void Q6Tile(const Job& job, int64_t row, int64_t token) {
  const Df d;
  const uint8_t* groups = job.data + row * (job.k / kQ6Columns * kQ6FileBytes);
  const float* x = job.x + token * job.x_stride;
  const float* sums = x + job.k;
  for (int lane = 0; lane < 16; lane += kVec) {
    Vf total[kTokens];
    for (auto& v : total) v = hn::Zero(d);
    for (int64_t b = 0; b < job.k / kQ6Columns; ++b) {
      const uint8_t* group = groups + b * kQ6GroupBytes;
      const Vf scale = Q6Scale(group, lane);
      for (int s = 0; s < 16; ++s) {
        const Vf factor = Q6Factor(group, lane, s, scale);
        const int64_t column = b * kQ6Columns + 16 * s;
        const Q6Words words = LoadQ6Words(group, lane, s);
        const Vi fourth = Q6Fourth(words);
        Vf acc[kTokens];
#pragma GCC unroll 8
        for (int t = 0; t < kTokens; ++t) {
          acc[t] = hn::Set(d, sums[t * job.x_stride + column / 16]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < 16; ++i) {
          const Vf code = CodeAt(i < 12 ? words.w[i / 4] : fourth, 63 << (8 * (i % 4)));
#pragma GCC unroll 8
          for (int t = 0; t < kTokens; ++t) {
            acc[t] = hn::MulAdd(code, hn::Set(d, x[t * job.x_stride + column + i]), acc[t]);
          }
        }
#pragma GCC unroll 8
        for (int t = 0; t < kTokens; ++t) total[t] = hn::MulAdd(acc[t], factor, total[t]);
      }
    }
    for (int t = 0; t < kTokens; ++t) {
      hn::StoreU(total[t], d, job.y + (token + t) * job.y_stride + row + lane);
    }
  }
}

template <int kTokens>
HWY_INLINE void Q4Tile(const Job& job, int64_t row, int64_t token) {
  const Df d;
  const Di di;
  const Du du;
  const uint8_t* groups = job.data + row * (job.k / kQ4Columns * kQ4FileBytes);
  const float* x = job.x + token * job.x_stride;
  const float* sums = x + job.k;
  for (int lane = 0; lane < 16; lane += kVec) {
    Vf total[kTokens];
    for (auto& v : total) v = hn::Zero(d);
    for (int64_t b = 0; b < job.k / kQ4Columns; ++b) {
      const uint8_t* group = groups + b * kQ4GroupBytes;
      const Vf scale = LoadAs(d, reinterpret_cast<const hwy::float16_t*>(group) + lane);
      const int64_t column = b * kQ4Columns;
      // Two chains, words 0 and 1, words 2 and 3: one of 32 would be bound by its latency.
      Vf acc[2][kTokens];
#pragma GCC unroll 8
      for (int t = 0; t < kTokens; ++t) {
        acc[0][t] = hn::Set(d, sums[t * job.x_stride + b]);
        acc[1][t] = hn::Zero(d);
      }
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        const auto words = LoadWords(group + kQ4WordsOffset + 64 * j + 4 * lane);
        PrefetchLine<kPlainAheadBytes>(group + 72 * j);
#pragma GCC unroll 8
        for (int i = 0; i < 8; ++i) {
          const Vf code =
              i < 7 ? CodeAt(words, 15 << (4 * (i % 7)))
                    : hn::ConvertTo(d, hn::BitCast(di, hn::ShiftRight<28>(hn::BitCast(du, words))));
#pragma GCC unroll 8
          for (int t = 0; t < kTokens; ++t) {
            acc[j / 2][t] = hn::MulAdd(code, hn::Set(d, x[t * job.x_stride + column + 8 * j + i]),
                                       acc[j / 2][t]);
          }
        }
      }
#pragma GCC unroll 8
      for (int t = 0; t < kTokens; ++t) {
        total[t] = hn::MulAdd(hn::Add(acc[0][t], acc[1][t]), scale, total[t]);
      }
    }
    for (int t = 0; t < kTokens; ++t) {
      hn::StoreU(total[t], d, job.y + (token + t) * job.y_stride + row + lane);
    }
  }
}

// One tile after another over rows [begin, end) and all tokens. Rows are padded to 16 in memory, so
// a tile never leaves the matrix. At one token a tile is one row: a single stream reads fastest.
template <int kRows, typename One, typename Two, typename Four>
HWY_INLINE void ForTiles(int64_t begin, int64_t end, int64_t tokens, const One& one, const Two& two,
                         const Four& four) {
  for (int64_t row = begin; row < end; row += kRows) {
    int64_t t = 0;
    for (; t + 4 <= tokens; t += 4) four(row, t);
    for (; t + 2 <= tokens; t += 2) two(row, t);
    for (; t < tokens; ++t) one(row, t);
  }
}

template <typename T>
HWY_INLINE void Floats(const Job& job, int64_t begin, int64_t end, int64_t tokens) {
  constexpr int kRows = kWide ? 2 : 1;
  ForTiles<kRows>(
      begin, end, tokens,
      [&](int64_t row, int64_t t) HWY_ATTR {
        for (int r = 0; r < kRows; ++r) FloatTile<1, 1, T>(job, row + r, t);
      },
      [&](int64_t row, int64_t t) HWY_ATTR { FloatTile<kRows, 2, T>(job, row, t); },
      [&](int64_t row, int64_t t) HWY_ATTR {
        if constexpr (kWide) {
          FloatTile<kRows, 4, T>(job, row, t);
        } else {
          FloatTile<kRows, 2, T>(job, row, t);
          FloatTile<kRows, 2, T>(job, row, t + 2);
        }
      });
}

void FloatsF32(const Job& job, int64_t begin, int64_t end, int64_t tokens) {
  Floats<float>(job, begin, end, tokens);
}
void FloatsF16(const Job& job, int64_t begin, int64_t end, int64_t tokens) {
  Floats<hwy::float16_t>(job, begin, end, tokens);
}
void FloatsBf16(const Job& job, int64_t begin, int64_t end, int64_t tokens) {
  Floats<hwy::bfloat16_t>(job, begin, end, tokens);
}
void Q8(const Job& job, int64_t begin, int64_t end, int64_t tokens) {
  constexpr int kRows = kWide ? 2 : 1;
  ForTiles<kRows>(
      begin, end, tokens,
      [&](int64_t row, int64_t t) HWY_ATTR {
        for (int r = 0; r < kRows; ++r) Q8Tile<1, 1>(job, row + r, t);
      },
      [&](int64_t row, int64_t t) HWY_ATTR { Q8Tile<kRows, 2>(job, row, t); },
      [&](int64_t row, int64_t t) HWY_ATTR {
        Q8Tile<kRows, 2>(job, row, t);
        Q8Tile<kRows, 2>(job, row, t + 2);
      });
}
void Q6(const Job& job, int64_t begin, int64_t end, int64_t tokens) {
  ForTiles<16>(
      begin, end, tokens, [&](int64_t row, int64_t t) HWY_ATTR { Q6Tile<1>(job, row, t); },
      [&](int64_t row, int64_t t) HWY_ATTR { Q6Tile<2>(job, row, t); },
      [&](int64_t row, int64_t t) HWY_ATTR { Q6Tile<4>(job, row, t); });
}
void Q4(const Job& job, int64_t begin, int64_t end, int64_t tokens) {
  ForTiles<16>(
      begin, end, tokens, [&](int64_t row, int64_t t) HWY_ATTR { Q4Tile<1>(job, row, t); },
      [&](int64_t row, int64_t t) HWY_ATTR { Q4Tile<2>(job, row, t); },
      [&](int64_t row, int64_t t) HWY_ATTR { Q4Tile<4>(job, row, t); });
}

void MultiplyAll(const DenseView& view, const float* prepared, int64_t stride, int64_t tokens,
                 int64_t begin, int64_t end, float* y, int64_t y_stride) {
  const Job job{view.data, view.k, prepared, stride, y, y_stride};
  switch (view.type) {
    case DenseType::kF32:
      return FloatsF32(job, begin, end, tokens);
    case DenseType::kF16:
      return FloatsF16(job, begin, end, tokens);
    case DenseType::kBF16:
      return FloatsBf16(job, begin, end, tokens);
    case DenseType::kQ8_0:
      return Q8(job, begin, end, tokens);
    case DenseType::kQ6_K:
      return Q6(job, begin, end, tokens);
    case DenseType::kQ4_0:
      return Q4(job, begin, end, tokens);
    default:
      return;  // refused before dispatch
  }
}

}  // namespace trit::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace trit::ops {
HWY_EXPORT(MultiplyAll);

void MultiplyDense(const DenseView& view, const float* prepared, int64_t tokens, int64_t n_begin,
                   int64_t n_end, float* y, int64_t y_stride) {
  if (!DenseTypeHasKernel(view.type, view.k)) {
    throw Error(Join("no dense kernel for type ", static_cast<uint32_t>(view.type), " with ",
                     view.k, " columns"));
  }
  HWY_DYNAMIC_DISPATCH(MultiplyAll)
  (view, prepared, DensePreparedFloats(view.type, view.k), tokens, n_begin, n_end, y, y_stride);
}

}  // namespace trit::ops
#endif  // HWY_ONCE
