#include "targets/roofs.h"

#include <arm_sve.h>

namespace trit {
namespace {

// smmla: every 16 bytes two rows times two columns of eight, two products a byte.
#define TRIT_ATTR __attribute__((target("arch=armv8.2-a+sve2+i8mm")))
#define TRIT_MAC(sum, a, b) svmmla_s32(sum, a, b)
#include "targets/roof_sve.inc"

}  // namespace

extern const RoofBody kRoof_sve2;
const RoofBody kRoof_sve2 = {"smmla-sve", kChains* kStepBytes * 2, Mac, Read};

}  // namespace trit
