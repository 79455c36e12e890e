/* SVE2 with the matrix multiply: usdot takes the codes as the unsigned bytes they are. */
#ifndef TRIT_TARGETS_SVE2_MICRO_OPS_SCALABLE_H_
#define TRIT_TARGETS_SVE2_MICRO_OPS_SCALABLE_H_

#include <arm_sve.h>

/* acc + sums of four products u * s, s = bytes 4 lane .. 4 lane + 3 of every 16: usdot */
#define TRIT_DOT4_LANE(acc, u, s, lane) svusdot_lane_s32(acc, u, s, lane)

/* a complemented where the lane of `sign` is negative */
static inline svuint8_t TritComplement(svuint8_t a, svuint8_t sign) {
  const svbool_t all = svptrue_b8();
  return sveor_u8_x(all, a, svreinterpret_u8_s8(svasr_n_s8_x(all, svreinterpret_s8_u8(sign), 7)));
}

#endif
