/* mad2: 2-bit codes 0..2 (weight + 1). A block is (W k, granule rows, k_step / 4 W), W = option[0]:
 * 4, or 8 for matrix instructions. Byte (i, r, q) holds the codes of row r at k = 4 W q + W j + i
 * in bits 2j and 2j+1, j = 0..3. For W = 4:
 *
 *   byte   0         1         2         3       | 4 ...
 *   row    0         0         0         0       | 1 ...
 *   k      0 4 8 12  1 5 9 13  2 6 10 14 3 7 11 15
 */
#include "generator/entry/block_functions.h"

void trit_pack_block(const trit_blocks_desc* d, const int8_t* tile, void* block, void* fixed) {
  const int32_t width = d->option[0];
  uint8_t* to = (uint8_t*)block;
  (void)fixed;
  for (int32_t q = 0; q < d->k_step / (4 * width); ++q) {
    for (int32_t r = 0; r < d->granule; ++r) {
      const int8_t* row = tile + r * d->k_step + 4 * width * q;
      for (int32_t i = 0; i < width; ++i) {
        const int code = (row[i] + 1) | (row[i + width] + 1) << 2 | (row[i + 2 * width] + 1) << 4 |
                         (row[i + 3 * width] + 1) << 6;
        *to++ = (uint8_t)code;
      }
    }
  }
}

void trit_unpack_block(const trit_blocks_desc* d, const void* block, int8_t* tile) {
  const int32_t width = d->option[0];
  const uint8_t* from = (const uint8_t*)block;
  for (int32_t q = 0; q < d->k_step / (4 * width); ++q) {
    for (int32_t r = 0; r < d->granule; ++r) {
      int8_t* row = tile + r * d->k_step + 4 * width * q;
      for (int32_t i = 0; i < width; ++i, ++from) {
        for (int32_t j = 0; j < 4; ++j) row[width * j + i] = (int8_t)((*from >> (2 * j) & 3) - 1);
      }
    }
  }
}
