// See ops.h. SVE is left out: vectors are used in arrays (attention.cpp), which sizeless types
// forbid, and the 128-bit NEON forms are as wide on every core with 128-bit SVE2.
#include <cmath>
#include <cstring>

#include "model/ops/ops.h"
#include "targets/base/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/ops/elementwise.cpp"
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
using D1 = hn::CappedTag<float, 1>;

// body(tag, index) over vectors, then over single lanes: the same operations in the same rounding.
template <typename Body>
HWY_INLINE void ForEach(int64_t n, const Body& body) {
  const Df d;
  const int64_t step = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + step <= n; i += step) body(d, i);
  const D1 d1;
  for (; i < n; ++i) body(d1, i);
}

template <class Op>
HWY_INLINE float Tree(Op op, const float* lanes) {
  constexpr int kVec = static_cast<int>(hn::MaxLanes(Df()));
  const Df d;
  hn::Vec<Df> v[kLanes / kVec];
  for (int i = 0; i < kLanes / kVec; ++i) v[i] = hn::LoadU(d, lanes + i * kVec);
  return ReduceVectors<kLanes / kVec>(op, d, v);
}

// Sum of squares of x and the largest |x * weight| (weight may be null: 1).
struct Moments {
  float square_sum;
  float abs_max;
};

template <bool kSquares, bool kMax>
HWY_INLINE Moments Reduce(const float* HWY_RESTRICT x, const float* HWY_RESTRICT weight,
                          int64_t n) {
  const Df d;
  const int64_t step = static_cast<int64_t>(hn::Lanes(d));
  HWY_ALIGN float sums[kLanes];
  HWY_ALIGN float maxima[kLanes];
  // Four vectors at a time hide the latency of the adds; kLanes is a multiple of 4 * 16.
  for (int64_t lane = 0; lane < kLanes; lane += 4 * step) {
    auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
    auto m0 = s0, m1 = s0, m2 = s0, m3 = s0;
    for (int64_t i = lane; i < n; i += kLanes) {
      const auto x0 = hn::LoadU(d, x + i);
      const auto x1 = hn::LoadU(d, x + i + step);
      const auto x2 = hn::LoadU(d, x + i + 2 * step);
      const auto x3 = hn::LoadU(d, x + i + 3 * step);
      if constexpr (kSquares) {
        s0 = hn::MulAdd(x0, x0, s0);
        s1 = hn::MulAdd(x1, x1, s1);
        s2 = hn::MulAdd(x2, x2, s2);
        s3 = hn::MulAdd(x3, x3, s3);
      }
      if constexpr (kMax) {
        if (weight) {
          m0 = hn::Max(m0, hn::Abs(hn::Mul(x0, hn::LoadU(d, weight + i))));
          m1 = hn::Max(m1, hn::Abs(hn::Mul(x1, hn::LoadU(d, weight + i + step))));
          m2 = hn::Max(m2, hn::Abs(hn::Mul(x2, hn::LoadU(d, weight + i + 2 * step))));
          m3 = hn::Max(m3, hn::Abs(hn::Mul(x3, hn::LoadU(d, weight + i + 3 * step))));
        } else {
          m0 = hn::Max(m0, hn::Abs(x0));
          m1 = hn::Max(m1, hn::Abs(x1));
          m2 = hn::Max(m2, hn::Abs(x2));
          m3 = hn::Max(m3, hn::Abs(x3));
        }
      }
    }
    hn::StoreU(s0, d, sums + lane);
    hn::StoreU(s1, d, sums + lane + step);
    hn::StoreU(s2, d, sums + lane + 2 * step);
    hn::StoreU(s3, d, sums + lane + 3 * step);
    hn::StoreU(m0, d, maxima + lane);
    hn::StoreU(m1, d, maxima + lane + step);
    hn::StoreU(m2, d, maxima + lane + 2 * step);
    hn::StoreU(m3, d, maxima + lane + 3 * step);
  }
  return {kSquares ? Tree(AddOp(), sums) : 0.0f, kMax ? Tree(MaxOp(), maxima) : 0.0f};
}

HWY_INLINE float InverseRms(float square_sum, int64_t width, float eps) {
  return 1.0f / std::sqrt(square_sum / static_cast<float>(width) + eps);
}

void Norm(const float* x, const float* weight, int64_t n, int64_t width, float eps, float* y) {
  const Moments moments = Reduce<true, false>(x, nullptr, n);
  const float r = InverseRms(moments.square_sum, width, eps);
  ForEach(n, [&](auto d, int64_t i) HWY_ATTR {
    const auto xw = hn::Mul(hn::LoadU(d, x + i), hn::LoadU(d, weight + i));
    hn::StoreU(hn::Mul(xw, hn::Set(d, r)), d, y + i);
  });
}

// q = round((x * weight * r) * s); with weight null x * s.
HWY_INLINE void Round(const float* HWY_RESTRICT x, const float* HWY_RESTRICT weight, int64_t n,
                      float r, float s, int8_t* HWY_RESTRICT q) {
  const Df d;
  const hn::Rebind<int8_t, Df> d8;
  const int64_t step = static_cast<int64_t>(hn::Lanes(d));
  const auto vr = hn::Set(d, r);
  const auto vs = hn::Set(d, s);
  for (int64_t i = 0; i < n; i += step) {
    auto v = hn::LoadU(d, x + i);
    if (weight) v = hn::Mul(hn::Mul(v, hn::LoadU(d, weight + i)), vr);
    hn::StoreU(hn::DemoteTo(d8, hn::NearestInt(hn::Mul(v, vs))), d8, q + i);
  }
}

constexpr float kSmallestMax = 1e-5f;

float NormQuantize(const float* x, const float* weight, int64_t n, int64_t width, float eps,
                   int8_t* q) {
  const Moments moments = Reduce<true, true>(x, weight, n);
  const float r = InverseRms(moments.square_sum, width, eps);
  // Rounding is monotone, so max|x * w| * r rounded is max|(x * w) * r| itself.
  const float largest = std::fmax(moments.abs_max * r, kSmallestMax);
  Round(x, weight, n, r, 127.0f / largest, q);
  return largest / 127.0f;
}

float Quantize(const float* x, int64_t n, int8_t* q) {
  const Moments moments = Reduce<false, true>(x, nullptr, n);
  const float largest = std::fmax(moments.abs_max, kSmallestMax);
  Round(x, nullptr, n, 1.0f, 127.0f / largest, q);
  return largest / 127.0f;
}

template <class D>
HWY_INLINE hn::Vec<D> LoadSums(D d, const int32_t* sums) {
  return hn::ConvertTo(d, hn::LoadU(hn::RebindToSigned<D>(), sums));
}

void ScaleSums(const int32_t* sums, int64_t n, float scale, float* y) {
  ForEach(n, [&](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(hn::Mul(LoadSums(d, sums + i), hn::Set(d, scale)), d, y + i);
  });
}

void AddScaledSums(const int32_t* sums, int64_t n, float scale, float* y) {
  ForEach(n, [&](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(hn::MulAdd(LoadSums(d, sums + i), hn::Set(d, scale), hn::LoadU(d, y + i)), d, y + i);
  });
}

void GateSquaredRelu(const int32_t* gate, float gate_scale, const int32_t* up, float up_scale,
                     int64_t n, float* y) {
  ForEach(n, [&](auto d, int64_t i) HWY_ATTR {
    const auto g = hn::Mul(LoadSums(d, gate + i), hn::Set(d, gate_scale));
    const auto u = hn::Mul(LoadSums(d, up + i), hn::Set(d, up_scale));
    const auto relu = hn::Max(g, hn::Zero(d));
    hn::StoreU(hn::Mul(hn::Mul(relu, relu), u), d, y + i);
  });
}

void GateSilu(const int32_t* gate, float gate_scale, const int32_t* up, float up_scale, int64_t n,
              float* y) {
  ForEach(n, [&](auto d, int64_t i) HWY_ATTR {
    const auto g = hn::Mul(LoadSums(d, gate + i), hn::Set(d, gate_scale));
    const auto u = hn::Mul(LoadSums(d, up + i), hn::Set(d, up_scale));
    // 88 keeps exp finite; g / (1 + e^88) is zero to float32 anyway.
    const auto e = Exp(d, hn::Min(hn::Neg(g), hn::Set(d, 88.0f)));
    hn::StoreU(hn::Mul(hn::Div(g, hn::Add(hn::Set(d, 1.0f), e)), u), d, y + i);
  });
}

void PairsSquaredRelu(const int32_t* pairs, int64_t block, float gate_scale, float up_scale,
                      int64_t n, float* y) {
  for (int64_t i = 0; i < n; i += block, pairs += 2 * block) {
    GateSquaredRelu(pairs, gate_scale, pairs + block, up_scale, n - i < block ? n - i : block,
                    y + i);
  }
}

void PairsSilu(const int32_t* pairs, int64_t block, float gate_scale, float up_scale, int64_t n,
               float* y) {
  for (int64_t i = 0; i < n; i += block, pairs += 2 * block) {
    GateSilu(pairs, gate_scale, pairs + block, up_scale, n - i < block ? n - i : block, y + i);
  }
}

void RopeHalves(float* x, int64_t heads, int64_t head_dim, const float* cos, const float* sin) {
  const int64_t half = head_dim / 2;
  for (int64_t h = 0; h < heads; ++h) {
    float* HWY_RESTRICT a = x + h * head_dim;
    float* HWY_RESTRICT b = a + half;
    ForEach(half, [&](auto d, int64_t i) HWY_ATTR {
      const auto va = hn::LoadU(d, a + i), vb = hn::LoadU(d, b + i);
      const auto c = hn::LoadU(d, cos + i), s = hn::LoadU(d, sin + i);
      hn::StoreU(hn::NegMulAdd(vb, s, hn::Mul(va, c)), d, a + i);
      hn::StoreU(hn::MulAdd(va, s, hn::Mul(vb, c)), d, b + i);
    });
  }
}

void RopePairs(float* x, int64_t heads, int64_t head_dim, const float* cos, const float* sin) {
  const int64_t half = head_dim / 2;
  const Df d;
  const D1 d1;
  const int64_t step = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t h = 0; h < heads; ++h) {
    float* HWY_RESTRICT p = x + h * head_dim;
    int64_t i = 0;
    for (; i + step <= half; i += step) {
      hn::Vec<Df> va, vb;
      hn::LoadInterleaved2(d, p + 2 * i, va, vb);
      const auto c = hn::LoadU(d, cos + i), s = hn::LoadU(d, sin + i);
      hn::StoreInterleaved2(hn::NegMulAdd(vb, s, hn::Mul(va, c)), hn::MulAdd(va, s, hn::Mul(vb, c)),
                            d, p + 2 * i);
    }
    for (; i < half; ++i) {
      const auto va = hn::LoadU(d1, p + 2 * i), vb = hn::LoadU(d1, p + 2 * i + 1);
      const auto c = hn::LoadU(d1, cos + i), s = hn::LoadU(d1, sin + i);
      hn::StoreU(hn::NegMulAdd(vb, s, hn::Mul(va, c)), d1, p + 2 * i);
      hn::StoreU(hn::MulAdd(va, s, hn::Mul(vb, c)), d1, p + 2 * i + 1);
    }
  }
}

void ExpShifted(const float* x, float shift, int64_t n, float* y) {
  ForEach(n, [&](auto d, int64_t i) HWY_ATTR {
    hn::StoreU(Exp(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, shift))), d, y + i);
  });
}

float MaxOf(const float* x, int64_t n) {
  const Df d;
  const int64_t step = static_cast<int64_t>(hn::Lanes(d));
  auto best = hn::Set(d, x[0]);
  int64_t i = 0;
  for (; i + step <= n; i += step) best = hn::Max(best, hn::LoadU(d, x + i));
  float value = hn::GetLane(hn::MaxOfLanes(d, best));
  for (; i < n; ++i) value = x[i] > value ? x[i] : value;
  return value;
}

int64_t Target() {
  return HWY_TARGET;
}

}  // namespace trit::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace trit::ops {
HWY_EXPORT(Norm);
HWY_EXPORT(NormQuantize);
HWY_EXPORT(Quantize);
HWY_EXPORT(ScaleSums);
HWY_EXPORT(AddScaledSums);
HWY_EXPORT(GateSquaredRelu);
HWY_EXPORT(GateSilu);
HWY_EXPORT(PairsSquaredRelu);
HWY_EXPORT(PairsSilu);
HWY_EXPORT(RopeHalves);
HWY_EXPORT(RopePairs);
HWY_EXPORT(ExpShifted);
HWY_EXPORT(MaxOf);
HWY_EXPORT(Target);

void Norm(const float* x, const float* weight, int64_t n, int64_t width, float eps, float* y) {
  HWY_DYNAMIC_DISPATCH(Norm)(x, weight, n, width, eps, y);
}
float NormQuantize(const float* x, const float* weight, int64_t n, int64_t width, float eps,
                   int8_t* q) {
  return HWY_DYNAMIC_DISPATCH(NormQuantize)(x, weight, n, width, eps, q);
}
float Quantize(const float* x, int64_t n, int8_t* q) {
  return HWY_DYNAMIC_DISPATCH(Quantize)(x, n, q);
}
void ScaleSums(const int32_t* sums, int64_t n, float scale, float* y) {
  HWY_DYNAMIC_DISPATCH(ScaleSums)(sums, n, scale, y);
}
void AddScaledSums(const int32_t* sums, int64_t n, float scale, float* y) {
  HWY_DYNAMIC_DISPATCH(AddScaledSums)(sums, n, scale, y);
}
void GateSums(Activation act, const int32_t* gate, float gate_scale, const int32_t* up,
              float up_scale, int64_t n, float* y) {
  if (act == Activation::kSquaredRelu) {
    HWY_DYNAMIC_DISPATCH(GateSquaredRelu)(gate, gate_scale, up, up_scale, n, y);
  } else {
    HWY_DYNAMIC_DISPATCH(GateSilu)(gate, gate_scale, up, up_scale, n, y);
  }
}
void GatePairs(Activation act, const int32_t* pairs, int64_t block, float gate_scale,
               float up_scale, int64_t n, float* y) {
  if (act == Activation::kSquaredRelu) {
    HWY_DYNAMIC_DISPATCH(PairsSquaredRelu)(pairs, block, gate_scale, up_scale, n, y);
  } else {
    HWY_DYNAMIC_DISPATCH(PairsSilu)(pairs, block, gate_scale, up_scale, n, y);
  }
}
void Rope(RopeOrder order, float* x, int64_t heads, int64_t head_dim, const float* cos,
          const float* sin) {
  if (order == RopeOrder::kHalves) {
    HWY_DYNAMIC_DISPATCH(RopeHalves)(x, heads, head_dim, cos, sin);
  } else {
    HWY_DYNAMIC_DISPATCH(RopePairs)(x, heads, head_dim, cos, sin);
  }
}
void ExpShifted(const float* x, float shift, int64_t n, float* y) {
  HWY_DYNAMIC_DISPATCH(ExpShifted)(x, shift, n, y);
}

int64_t ArgMax(const float* x, int64_t n) {
  const float best = HWY_DYNAMIC_DISPATCH(MaxOf)(x, n);
  for (int64_t i = 0; i < n; ++i) {
    if (x[i] == best) return i;
  }
  return 0;  // only not-a-number everywhere comes here
}

double LogSumExp(const float* x, int64_t n) {
  const float best = HWY_DYNAMIC_DISPATCH(MaxOf)(x, n);
  constexpr int64_t kPiece = 1024;
  float piece[kPiece];
  double sum = 0;
  for (int64_t i = 0; i < n; i += kPiece) {
    const int64_t count = n - i < kPiece ? n - i : kPiece;
    HWY_DYNAMIC_DISPATCH(ExpShifted)(x + i, best, count, piece);
    for (int64_t j = 0; j < count; ++j) sum += piece[j];
  }
  return static_cast<double>(best) + std::log(sum);
}

std::string VectorTarget() {
  return hwy::TargetName(static_cast<int64_t>(HWY_DYNAMIC_DISPATCH(Target)()));
}

void LimitVectorTarget(const std::string& name) {
  struct Limit {
    const char* name;
    int64_t allowed;  // a target and everything below it
  };
  // Lower bits are better targets.
  constexpr Limit kLimits[] = {
      {"native", -1},
      {"avx512", ~(HWY_AVX3 - 1)},
      {"avx2", ~(HWY_AVX2 - 1)},
      {"sse4", ~(HWY_SSE4 - 1)},
      {"neon", ~(HWY_NEON - 1)},
      {"scalar", HWY_SCALAR | HWY_EMU128},
  };
  for (const Limit& limit : kLimits) {
    if (name != limit.name) continue;
    hwy::DisableTargets(~limit.allowed);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    return;
  }
  std::string known;
  for (const Limit& limit : kLimits) known += (known.empty() ? "" : ", ") + std::string(limit.name);
  throw Error(Join("unknown vector target '", name, "'; known are ", known));
}

}  // namespace trit::ops
#endif  // HWY_ONCE
