/* What SVE2 has beyond SVE: one lookup in the bytes of two registers; bytes beyond them give 0. */
#ifndef TRIT_TARGETS_SVE2_MICRO_OPS_SCALABLE2_H_
#define TRIT_TARGETS_SVE2_MICRO_OPS_SCALABLE2_H_

#include "targets/sve2/micro_ops_scalable.h"

/* entry `index` of the 2 * svcntb() bytes in `low` and `high`: tbl */
static inline svuint8_t TritLookup2(svuint8_t low, svuint8_t high, svuint8_t index) {
  return svtbl2_u8(svcreate2_u8(low, high), index);
}

#endif
