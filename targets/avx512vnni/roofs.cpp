#include "targets/roofs.h"

#include <immintrin.h>

namespace trit {
namespace {

// 64 products an instruction into int32; eight chains cover its latency of 4 (Zen 4) or 5.
#define TRIT_ATTR __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define TRIT_VEC __m512i
#define TRIT_REG "v"
#define TRIT_ADD64 _mm512_add_epi64
#define TRIT_LOAD _mm512_load_si512
#define TRIT_SET1 _mm512_set1_epi8
#define TRIT_MAC(sum, a, b) _mm512_dpbusd_epi32(sum, a, b)
#include "targets/roof_x86.inc"

}  // namespace

extern const RoofBody kRoof_avx512vnni;
const RoofBody kRoof_avx512vnni = {"vpdpbusd-512", 8 * uint64_t{64}, Mac, Read};

}  // namespace trit
