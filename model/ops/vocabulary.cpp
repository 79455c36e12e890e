#include "model/ops/vocabulary.h"

#include <algorithm>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/ops/vocabulary.cpp"
#include "model/ops/vector_targets.h"

#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "model/ops/exp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace trit::ops::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Df = hn::CappedTag<float, 16>;
using D1 = hn::CappedTag<float, 1>;

bool AnyBad(const float* x, int64_t n) {
  const Df d;
  const auto step = static_cast<int64_t>(hn::Lanes(d));
  const auto limit = hn::Set(d, std::numeric_limits<float>::infinity());
  int64_t i = 0;
  for (; i + step <= n; i += step) {
    if (!hn::AllTrue(d, hn::Lt(hn::LoadU(d, x + i), limit))) return true;
  }
  for (; i < n; ++i) {
    if (!(x[i] < std::numeric_limits<float>::infinity())) return true;
  }
  return false;
}

// Index of the first value >= floor from `begin` on, rounded down to a whole vector; n: none.
int64_t NextAtLeast(const float* x, int64_t begin, int64_t n, float floor) {
  const Df d;
  const auto step = static_cast<int64_t>(hn::Lanes(d));
  const auto limit = hn::Set(d, floor);
  int64_t i = begin;
  for (; i + step <= n; i += step) {
    if (!hn::AllFalse(d, hn::Ge(hn::LoadU(d, x + i), limit))) return i;
  }
  for (; i < n; ++i) {
    if (x[i] >= floor) return i;
  }
  return n;
}

template <class D>
HWY_INLINE hn::Vec<D> WeightOf(D d, const float* x, float top, float inverse, float floor) {
  const auto v = hn::LoadU(d, x);
  const auto weight = Exp(d, hn::Mul(hn::Sub(v, hn::Set(d, top)), hn::Set(d, inverse)));
  return hn::IfThenElseZero(hn::Ge(v, hn::Set(d, floor)), weight);
}

void WeightsOf(const float* x, int64_t n, float top, float temperature, float floor, float* y) {
  const Df d;
  const D1 d1;
  const auto step = static_cast<int64_t>(hn::Lanes(d));
  const float inverse = 1.0f / temperature;
  int64_t i = 0;
  for (; i + step <= n; i += step) {
    hn::StoreU(WeightOf(d, x + i, top, inverse, floor), d, y + i);
  }
  for (; i < n; ++i) hn::StoreU(WeightOf(d1, x + i, top, inverse, floor), d1, y + i);
}

// Sum of up to 1024 weights in 16 virtual lanes.
float SumPiece(const float* weights, int64_t n) {
  const Df d;
  const auto step = static_cast<int64_t>(hn::Lanes(d));
  HWY_ALIGN float lanes[16] = {};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16) {
    for (int64_t lane = 0; lane < 16; lane += step) {
      hn::StoreU(hn::Add(hn::LoadU(d, lanes + lane), hn::LoadU(d, weights + i + lane)), d,
                 lanes + lane);
    }
  }
  for (; i < n; ++i) lanes[i % 16] += weights[i];
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  return sum;
}

}  // namespace trit::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace trit::ops {
HWY_EXPORT(AnyBad);
HWY_EXPORT(NextAtLeast);
HWY_EXPORT(WeightsOf);
HWY_EXPORT(SumPiece);

bool HasNanOrInfinity(const float* x, int64_t n) {
  return HWY_DYNAMIC_DISPATCH(AnyBad)(x, n);
}

void CollectAtLeast(const float* x, int64_t n, float floor, std::vector<int32_t>* indices) {
  constexpr int64_t kStep = 16;  // a multiple of every vector length
  for (int64_t at = 0; at < n; at += kStep) {
    at = HWY_DYNAMIC_DISPATCH(NextAtLeast)(x, at, n, floor);
    for (int64_t i = at; i < std::min(at + kStep, n); ++i) {
      if (x[i] >= floor) indices->push_back(static_cast<int32_t>(i));
    }
  }
}

void Weights(const float* x, int64_t count, float top, float temperature, float floor,
             float* weights) {
  HWY_DYNAMIC_DISPATCH(WeightsOf)(x, count, top, temperature, floor, weights);
}

double SumWeights(const float* x, int64_t n, float top, float temperature, float floor,
                  std::vector<double>* sums) {
  sums->clear();
  double total = 0;
  float weights[kWeightPiece];
  for (int64_t at = 0; at < n; at += kWeightPiece) {
    const int64_t count = std::min(kWeightPiece, n - at);
    Weights(x + at, count, top, temperature, floor, weights);
    sums->push_back(static_cast<double>(HWY_DYNAMIC_DISPATCH(SumPiece)(weights, count)));
    total += sums->back();
  }
  return total;
}

}  // namespace trit::ops
#endif  // HWY_ONCE
