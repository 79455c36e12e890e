#include "targets/roofs.h"

#include <immintrin.h>

namespace trit {
namespace {

// 16 products in pmaddubsw and a 16-bit add; widening is rare and left out.
#define TRIT_ATTR __attribute__((target("ssse3")))
#define TRIT_VEC __m128i
#define TRIT_REG "x"
#define TRIT_ADD64 _mm_add_epi64
#define TRIT_LOAD _mm_load_si128
#define TRIT_SET1 _mm_set1_epi8
#define TRIT_MAC(sum, a, b) _mm_add_epi16(sum, _mm_maddubs_epi16(a, b))
#include "targets/roof_x86.inc"

}  // namespace

extern const RoofBody kRoof_ssse3;
const RoofBody kRoof_ssse3 = {"pmaddubsw-128", 8 * uint64_t{16}, Mac, Read};

}  // namespace trit
