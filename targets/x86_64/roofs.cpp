#include "targets/roofs.h"

#include <immintrin.h>

namespace trit {
namespace {

// SSE2 multiplies no bytes: 8 products in pmaddwd and a 32-bit add.
#define TRIT_ATTR __attribute__((target("sse2")))
#define TRIT_VEC __m128i
#define TRIT_REG "x"
#define TRIT_ADD64 _mm_add_epi64
#define TRIT_LOAD _mm_load_si128
#define TRIT_SET1 _mm_set1_epi16
#define TRIT_MAC(sum, a, b) _mm_add_epi32(sum, _mm_madd_epi16(a, b))
#include "targets/roof_x86.inc"

}  // namespace

extern const RoofBody kRoof_x86_64;
const RoofBody kRoof_x86_64 = {"pmaddwd-128", 8 * uint64_t{8}, Mac, Read};

}  // namespace trit
