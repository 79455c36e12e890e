/* lut3w: nine trits in a 16-bit word. A block is (granule rows, k_step / 9); word (r, g) of row r
 * holds the trits k = 9 g .. 9 g + 8 as three base-3 numbers 0..26, the first trit the highest
 * digit, trit + 1 as digit:
 *
 *   bits   0-4             5-9             10-14           15
 *   k      9g .. 9g+2      9g+3 .. 9g+5    9g+6 .. 9g+8    0
 */
#include "generator/entry/block_functions.h"

void trit_pack_block(const trit_blocks_desc* d, const int8_t* tile, void* block, void* fixed) {
  uint16_t* to = (uint16_t*)block;
  (void)fixed;
  for (int32_t g = 0; g < d->k_step / 9; ++g) {
    for (int32_t r = 0; r < d->granule; ++r) {
      const int8_t* t = tile + r * d->k_step + 9 * g;
      int word = 0;
      for (int32_t j = 0; j < 3; ++j) {
        const int triple = (t[3 * j] + 1) * 9 + (t[3 * j + 1] + 1) * 3 + t[3 * j + 2] + 1;
        word |= triple << (5 * j);
      }
      *to++ = (uint16_t)word;
    }
  }
}

void trit_unpack_block(const trit_blocks_desc* d, const void* block, int8_t* tile) {
  const uint16_t* from = (const uint16_t*)block;
  for (int32_t g = 0; g < d->k_step / 9; ++g) {
    for (int32_t r = 0; r < d->granule; ++r, ++from) {
      int8_t* t = tile + r * d->k_step + 9 * g;
      for (int32_t j = 0; j < 3; ++j) {
        const int triple = *from >> (5 * j) & 31;
        t[3 * j] = (int8_t)(triple / 9 - 1);
        t[3 * j + 1] = (int8_t)(triple / 3 % 3 - 1);
        t[3 * j + 2] = (int8_t)(triple % 3 - 1);
      }
    }
  }
}
