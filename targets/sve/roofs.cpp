#include "targets/roofs.h"

#include <arm_sve.h>

namespace trit {
namespace {

// sdot: a product a byte.
#define TRIT_ATTR __attribute__((target("arch=armv8.2-a+sve")))
#define TRIT_MAC(sum, a, b) svdot_s32(sum, a, b)
#include "targets/roof_sve.inc"

}  // namespace

extern const RoofBody kRoof_sve;
const RoofBody kRoof_sve = {"sdot-sve", kChains* kStepBytes, Mac, Read};

}  // namespace trit
