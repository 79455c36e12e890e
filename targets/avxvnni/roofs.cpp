#include "targets/roofs.h"

#include <immintrin.h>

namespace trit {
namespace {

// vpdpbusd in its VEX form: 32 products an instruction into int32.
#define TRIT_ATTR __attribute__((target("avx2,avxvnni")))
#define TRIT_VEC __m256i
#define TRIT_REG "x"
#define TRIT_ADD64 _mm256_add_epi64
#define TRIT_LOAD _mm256_load_si256
#define TRIT_SET1 _mm256_set1_epi8
#define TRIT_MAC(sum, a, b) _mm256_dpbusd_avx_epi32(sum, a, b)
#include "targets/roof_x86.inc"

}  // namespace

extern const RoofBody kRoof_avxvnni;
const RoofBody kRoof_avxvnni = {"vpdpbusd-256", 8 * uint64_t{32}, Mac, Read};

}  // namespace trit
