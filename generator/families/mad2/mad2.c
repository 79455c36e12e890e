/* mad2: 2-bit codes 0..2 (weight + 1). A block is (4 k, granule rows, k_step / 16); byte (i, r, q)
 * holds the codes of row r at k = 16 q + 4 j + i in bits 2j and 2j+1, j = 0..3:
 *
 *   byte   0         1         2         3       | 4 ...
 *   row    0         0         0         0       | 1 ...
 *   k      0 4 8 12  1 5 9 13  2 6 10 14 3 7 11 15
 */
#include "generator/entry/block_functions.h"

void trit_pack_block(const trit_blocks_desc* d, const int8_t* tile, void* block, void* fixed) {
  uint8_t* to = (uint8_t*)block;
  (void)fixed;
  for (int32_t q = 0; q < d->k_step / 16; ++q) {
    for (int32_t r = 0; r < d->granule; ++r) {
      const int8_t* row = tile + r * d->k_step + 16 * q;
      for (int32_t i = 0; i < 4; ++i) {
        const int code =
            (row[i] + 1) | (row[i + 4] + 1) << 2 | (row[i + 8] + 1) << 4 | (row[i + 12] + 1) << 6;
        *to++ = (uint8_t)code;
      }
    }
  }
}

void trit_unpack_block(const trit_blocks_desc* d, const void* block, int8_t* tile) {
  const uint8_t* from = (const uint8_t*)block;
  for (int32_t q = 0; q < d->k_step / 16; ++q) {
    for (int32_t r = 0; r < d->granule; ++r) {
      int8_t* row = tile + r * d->k_step + 16 * q;
      for (int32_t i = 0; i < 4; ++i, ++from) {
        for (int32_t j = 0; j < 4; ++j) row[4 * j + i] = (int8_t)((*from >> (2 * j) & 3) - 1);
      }
    }
  }
}
