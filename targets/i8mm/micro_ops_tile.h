/* The matrix multiply of i8mm: 2 rows of 8 unsigned bytes times 2 columns of 8 signed ones, added
 * to four int32 (row 0 column 0, row 0 column 1, row 1 ...): usmmla */
#ifndef TRIT_TARGETS_I8MM_MICRO_OPS_TILE_H_
#define TRIT_TARGETS_I8MM_MICRO_OPS_TILE_H_

#include <arm_neon.h>

static inline int32x4_t TritMatrix(int32x4_t acc, uint8x16_t rows, int8x16_t columns) {
  return vusmmlaq_s32(acc, rows, columns);
}

#endif
