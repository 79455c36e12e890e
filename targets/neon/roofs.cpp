#include "targets/roofs.h"

#include <arm_neon.h>

namespace trit {
namespace {

// 16 products in two smull, summed by two sadalp.
#define TRIT_ATTR
#define TRIT_MAC(sum, a, b) \
  vpadalq_s16(vpadalq_s16(sum, vmull_s8(vget_low_s8(a), vget_low_s8(b))), vmull_high_s8(a, b))
#include "targets/roof_arm.inc"

}  // namespace

extern const RoofBody kRoof_neon;
const RoofBody kRoof_neon = {"smull-sadalp-128", kChains * 16, Mac, Read};

}  // namespace trit
