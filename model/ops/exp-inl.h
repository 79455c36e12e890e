// exp(x) for float vectors, accurate to 2 ulp, included once a target (Highway's convention).
#if defined(TRIT_MODEL_OPS_EXP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TRIT_MODEL_OPS_EXP_INL_H_
#undef TRIT_MODEL_OPS_EXP_INL_H_
#else
#define TRIT_MODEL_OPS_EXP_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace trit::ops::HWY_NAMESPACE {

// x <= 88. x = n ln 2 + r with |r| <= ln 2 / 2; ln 2 in two pieces so that r is exact to 2^-33;
// Taylor to r^7 (the next term is below 2^-28). exp(0) is exactly 1; below -87.3 the result is 0.
template <class D>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> Exp(D d, hwy::HWY_NAMESPACE::Vec<D> x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::RebindToSigned<D> di;
  const auto normal = hn::Ge(x, hn::Set(d, -87.3f));
  x = hn::Max(x, hn::Set(d, -88.0f));
  const auto n = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504f)));
  auto r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  auto p = hn::Set(d, 1.0f / 5040.0f);
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 720.0f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 120.0f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 24.0f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 6.0f));
  p = hn::MulAdd(p, r, hn::Set(d, 0.5f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f));
  // n is -126..127: one shift makes the power of two (n = -127 only below -87.3).
  const auto power = hn::ShiftLeft<23>(hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127)));
  return hn::IfThenElseZero(normal, hn::Mul(p, hn::BitCast(d, power)));
}

}  // namespace trit::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
