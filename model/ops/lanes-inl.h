// Halving trees over virtual lanes, included once a target (Highway's convention). Lane i meets
// lane i + n / 2, then i + n / 4, ...: the same additions whatever the vector length.
#if defined(TRIT_MODEL_OPS_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TRIT_MODEL_OPS_LANES_INL_H_
#undef TRIT_MODEL_OPS_LANES_INL_H_
#else
#define TRIT_MODEL_OPS_LANES_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace trit::ops::HWY_NAMESPACE {

struct AddOp {
  template <class V>
  HWY_INLINE V operator()(V a, V b) const {
    return hwy::HWY_NAMESPACE::Add(a, b);
  }
};
struct MaxOp {
  template <class V>
  HWY_INLINE V operator()(V a, V b) const {
    return hwy::HWY_NAMESPACE::Max(a, b);
  }
};

// Inside one vector.
#if HWY_TARGET == HWY_SCALAR
template <class Op, class D>
HWY_INLINE float ReduceVector(Op, D, hwy::HWY_NAMESPACE::Vec<D> v) {
  return hwy::HWY_NAMESPACE::GetLane(v);
}
#else
template <class Op, class D>
HWY_INLINE float ReduceVector(Op op, D d, hwy::HWY_NAMESPACE::Vec<D> v) {
  namespace hn = hwy::HWY_NAMESPACE;
  if constexpr (hn::MaxLanes(D()) > 4) {
    const hn::Half<D> half;
    return ReduceVector(op, half, op(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  } else {
    (void)d;
    v = op(v, hn::Shuffle1032(v));
    v = op(v, hn::Shuffle2301(v));
    return hn::GetLane(v);
  }
}
#endif

// kCount vectors (a power of two), first lanes first; destroys them.
template <int kCount, class Op, class D>
HWY_INLINE float ReduceVectors(Op op, D d, hwy::HWY_NAMESPACE::Vec<D>* v) {
#pragma GCC unroll 8
  for (int half = kCount / 2; half >= 1; half /= 2) {
#pragma GCC unroll 32
    for (int i = 0; i < half; ++i) v[i] = op(v[i], v[i + half]);
  }
  return ReduceVector(op, d, v[0]);
}

}  // namespace trit::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
