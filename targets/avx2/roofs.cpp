#include "targets/roofs.h"

#include <immintrin.h>

namespace trit {
namespace {

// 32 products in vpmaddubsw and a 16-bit add; widening is rare and left out.
#define TRIT_ATTR __attribute__((target("avx2")))
#define TRIT_VEC __m256i
#define TRIT_REG "x"
#define TRIT_ADD64 _mm256_add_epi64
#define TRIT_LOAD _mm256_load_si256
#define TRIT_SET1 _mm256_set1_epi8
#define TRIT_MAC(sum, a, b) _mm256_add_epi16(sum, _mm256_maddubs_epi16(a, b))
#include "targets/roof_x86.inc"

}  // namespace

extern const RoofBody kRoof_avx2;
const RoofBody kRoof_avx2 = {"vpmaddubsw-256", 8 * uint64_t{32}, Mac, Read};

}  // namespace trit
