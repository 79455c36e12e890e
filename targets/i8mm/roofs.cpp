#include "targets/roofs.h"

#include <arm_neon.h>

namespace trit {
namespace {

// smmla: two rows times two columns of eight, 32 products. usmmla is the same with unsigned rows.
#define TRIT_ATTR __attribute__((target("arch=armv8.2-a+i8mm")))
#define TRIT_MAC(sum, a, b) vmmlaq_s32(sum, a, b)
#include "targets/roof_arm.inc"

}  // namespace

extern const RoofBody kRoof_i8mm;
const RoofBody kRoof_i8mm = {"smmla-128", kChains * 32, Mac, Read};

}  // namespace trit
