// Reading the interleaved Q6_K form (dense.h has the drawing), included once a target.
#if defined(TRIT_MODEL_OPS_Q6_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TRIT_MODEL_OPS_Q6_INL_H_
#undef TRIT_MODEL_OPS_Q6_INL_H_
#else
#define TRIT_MODEL_OPS_Q6_INL_H_
#endif

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "model/ops/dense_layout.h"

HWY_BEFORE_NAMESPACE();
namespace trit::ops::HWY_NAMESPACE {

using Df = hwy::HWY_NAMESPACE::CappedTag<float, 16>;
using Di = hwy::HWY_NAMESPACE::RebindToSigned<Df>;
using Vf = hwy::HWY_NAMESPACE::Vec<Df>;
using Vi = hwy::HWY_NAMESPACE::Vec<Di>;

#if HWY_TARGET == HWY_SCALAR
constexpr int kVec = 1;
#else
constexpr int kVec = HWY_MAX_BYTES >= 64 ? 16 : HWY_MAX_BYTES / 4;
#endif

// Rows follow each other in memory, so reading ahead needs no bound but the matrix's own end, and a
// prefetch beyond it is harmless. Without it one thread streams 12 GB/s here. Q6_K has the more
// instructions a byte: 1 KiB ahead reads 128256 x 2560 for one token in 7.2 ms on two threads, 4
// KiB in 9.6. The plain encodings want the 4 KiB: with an f16 head one thread decodes 21.1 tokens a
// second, with 1 KiB 20.4.
constexpr int64_t kQ6AheadBytes = 1024;
constexpr int64_t kPlainAheadBytes = 4096;
template <int64_t kAheadBytes>
HWY_INLINE void PrefetchLine(const void* p) {
  hwy::Prefetch(static_cast<const uint8_t*>(p) + kAheadBytes);
}

HWY_INLINE Vf LoadI8(const uint8_t* p) {
  namespace hn = hwy::HWY_NAMESPACE;
  return hn::ConvertTo(Df(), hn::PromoteTo(Di(), hn::LoadU(hn::Rebind<int8_t, Df>(),
                                                           reinterpret_cast<const int8_t*>(p))));
}

// Rows [lane, lane + kVec) of the group's 16.
HWY_INLINE Vf Q6Scale(const uint8_t* group, int lane) {
  namespace hn = hwy::HWY_NAMESPACE;
  return hn::PromoteTo(Df(), hn::LoadU(hn::Rebind<hwy::float16_t, Df>(),
                                       reinterpret_cast<const hwy::float16_t*>(group) + lane));
}
HWY_INLINE Vf Q6Factor(const uint8_t* group, int lane, int sub, Vf scale) {
  namespace hn = hwy::HWY_NAMESPACE;
  return hn::Mul(LoadI8(group + kQ6ScalesOffset + 16 * sub + lane), scale);
}

struct Q6Words {
  Vi w[3];
};
// Without `ahead`, nothing further on is fetched: this part was read a moment ago.
HWY_INLINE Q6Words LoadQ6Words(const uint8_t* group, int lane, int sub, bool ahead = true) {
  namespace hn = hwy::HWY_NAMESPACE;
  const uint8_t* at = group + kQ6WordsOffset + 192 * sub + 4 * lane;
  if (lane == 0 && ahead) {
    PrefetchLine<kQ6AheadBytes>(at);
    PrefetchLine<kQ6AheadBytes>(at + 64);
    PrefetchLine<kQ6AheadBytes>(at + 128);
    if (sub % 4 == 0) PrefetchLine<kQ6AheadBytes>(group + 16 * sub);
  }
  const auto load = [](const uint8_t* p)
                        HWY_ATTR { return hn::LoadU(Di(), reinterpret_cast<const int32_t*>(p)); };
  return {{load(at), load(at + 64), load(at + 128)}};
}

// The codes of columns 12..15, a byte each: two bits from each word.
HWY_INLINE Vi Q6Fourth(const Q6Words& words) {
  namespace hn = hwy::HWY_NAMESPACE;
  const Di di;
  return hn::Or(hn::And(hn::ShiftRight<6>(words.w[0]), hn::Set(di, 0x03030303)),
                hn::Or(hn::And(hn::ShiftRight<4>(words.w[1]), hn::Set(di, 0x0c0c0c0c)),
                       hn::And(hn::ShiftRight<2>(words.w[2]), hn::Set(di, 0x30303030))));
}

}  // namespace trit::ops::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
