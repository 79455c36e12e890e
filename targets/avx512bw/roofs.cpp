#include "targets/roofs.h"

#include <immintrin.h>

namespace trit {
namespace {

// 64 products in vpmaddubsw and a 16-bit add; widening is rare and left out.
#define TRIT_ATTR __attribute__((target("avx512f,avx512bw")))
#define TRIT_VEC __m512i
#define TRIT_REG "v"
#define TRIT_ADD64 _mm512_add_epi64
#define TRIT_LOAD _mm512_load_si512
#define TRIT_SET1 _mm512_set1_epi8
#define TRIT_MAC(sum, a, b) _mm512_add_epi16(sum, _mm512_maddubs_epi16(a, b))
#include "targets/roof_x86.inc"

}  // namespace

extern const RoofBody kRoof_avx512bw;
const RoofBody kRoof_avx512bw = {"vpmaddubsw-512", 8 * uint64_t{64}, Mac, Read};

}  // namespace trit
