#include "targets/roofs.h"

#include <arm_neon.h>

namespace trit {
namespace {

// sdot: 16 products.
#define TRIT_ATTR __attribute__((target("arch=armv8.2-a+dotprod")))
#define TRIT_MAC(sum, a, b) vdotq_s32(sum, a, b)
#include "targets/roof_arm.inc"

}  // namespace

extern const RoofBody kRoof_dotprod;
const RoofBody kRoof_dotprod = {"sdot-128", kChains * 16, Mac, Read};

}  // namespace trit
