#include "targets/roofs.h"

#include <arm_neon.h>

namespace trit {
namespace {

// smull + sadalp: 16 products in two of each.
void Mac(uint64_t steps) {
  constexpr int kChains = 12;
  const int8x16_t a = vdupq_n_s8(3), b = vdupq_n_s8(1);
  int32x4_t sum[kChains] = {};
  for (uint64_t s = 0; s < steps; ++s) {
    for (int i = 0; i < kChains; ++i) {
      int8x16_t c = a;
      asm volatile("" : "+w"(c));
      sum[i] = vpadalq_s16(sum[i], vmull_s8(vget_low_s8(c), vget_low_s8(b)));
      sum[i] = vpadalq_s16(sum[i], vmull_high_s8(c, b));
    }
    for (int i = 0; i < kChains; ++i) asm volatile("" : "+w"(sum[i]));
  }
}

uint64_t Read(const std::byte* p, size_t bytes) {
  uint64x2_t sum[4] = {};
  for (size_t i = 0; i < bytes; i += 64) {
    const uint64_t* q = reinterpret_cast<const uint64_t*>(p + i);
    __builtin_prefetch(p + i + kRoofPrefetchBytes);
    for (int j = 0; j < 4; ++j) sum[j] = vaddq_u64(sum[j], vld1q_u64(q + 2 * j));
  }
  const uint64x2_t total = vaddq_u64(vaddq_u64(sum[0], sum[1]), vaddq_u64(sum[2], sum[3]));
  return vgetq_lane_u64(total, 0) + vgetq_lane_u64(total, 1);
}

}  // namespace

extern const RoofBody kRoof_neon;
const RoofBody kRoof_neon = {"smull-sadalp-128", 12 * uint64_t{16}, Mac, Read};

}  // namespace trit
