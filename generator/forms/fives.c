/* fives: lookup tables of every group of five values. A block is (128 entries, 2 planes, k_step/5)
 * bytes for one token: the low bytes of 128 int16 entries, then their high bytes. Entry e of group
 * g is the sum of x[5g + i] times digit i of e in balanced base 3 (first digit highest), for
 * e = 0..121; entries above 121 are never looked up and hold whatever the same formula gives. */
#include "generator/entry/block_functions.h"

/* Balanced digit i of entry e, that is digit i of e + 121 in base 3, minus one. */
static inline int16_t Digit(int32_t e, int32_t power) {
  return (int16_t)((e + 121) / power % 3 - 1);
}

void trit_prepare_block(const trit_blocks_desc* d, const int8_t* rows, ptrdiff_t row_stride,
                        void* block, void* fixed) {
  uint8_t* to = (uint8_t*)block;
  (void)row_stride;
  (void)fixed;
  int16_t digits[5][128];
  for (int32_t e = 0; e < 128; ++e) {
    digits[0][e] = Digit(e, 81);
    digits[1][e] = Digit(e, 27);
    digits[2][e] = Digit(e, 9);
    digits[3][e] = Digit(e, 3);
    digits[4][e] = Digit(e, 1);
  }
  for (int32_t g = 0; g < d->k_step / 5; ++g) {
    const int16_t x0 = rows[5 * g], x1 = rows[5 * g + 1], x2 = rows[5 * g + 2],
                  x3 = rows[5 * g + 3], x4 = rows[5 * g + 4];
    for (int32_t e = 0; e < 128; ++e) {
      const int16_t v = (int16_t)(digits[0][e] * x0 + digits[1][e] * x1 + digits[2][e] * x2 +
                                  digits[3][e] * x3 + digits[4][e] * x4);
      to[256 * g + e] = (uint8_t)v;
      to[256 * g + 128 + e] = (uint8_t)((uint16_t)v >> 8);
    }
  }
}
