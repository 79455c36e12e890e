/* lut3: three trits in a nibble and a sign bit, 14 of 16 entries. A group's balanced base-3 number n =
 * -13..13 (first trit highest) is its size 0..13 and its sign. Per 24 columns a row has five bytes:
 *
 *   byte   0                1                2                3                4
 *   bits   sizes of         2, 3             4, 5             6, 7             signs of groups
 *          groups 0, 1                                                         0..7
 *
 * the even group in the low nibble. A block is (granule places, 5, k_step / 24) bytes; a place's row
 * is TritRowOf's (common/places.h). Kernels complement instead of negating: `fixed` counts each
 * row's negative groups, and the kernel adds it to the sum. */
#include "generator/entry/block_functions.h"
#include "generator/families/common/places.h"

void trit_pack_block(const trit_blocks_desc* d, const int8_t* tile, void* block, void* fixed) {
  uint8_t* to = (uint8_t*)block;
  int32_t* signs = (int32_t*)fixed;
  for (int32_t s = 0; s < d->k_step / 24; ++s) {
    for (int32_t place = 0; place < d->granule; ++place) {
      const int32_t r = TritRowOf(place, d->option[0]);
      uint8_t bytes[5] = {0, 0, 0, 0, 0};
      for (int32_t i = 0; i < 8; ++i) {
        const int8_t* t = tile + r * d->k_step + 24 * s + 3 * i;
        const int n = t[0] * 9 + t[1] * 3 + t[2];
        bytes[i / 2] = (uint8_t)(bytes[i / 2] | (n < 0 ? -n : n) << (i % 2 * 4));
        if (n < 0) {
          bytes[4] = (uint8_t)(bytes[4] | 1 << i);
          ++signs[r];
        }
      }
      for (int32_t j = 0; j < 5; ++j) to[(5 * s + j) * d->granule + place] = bytes[j];
    }
  }
}

void trit_unpack_block(const trit_blocks_desc* d, const void* block, int8_t* tile) {
  const uint8_t* from = (const uint8_t*)block;
  for (int32_t s = 0; s < d->k_step / 24; ++s) {
    for (int32_t place = 0; place < d->granule; ++place) {
      const int32_t r = TritRowOf(place, d->option[0]);
      const uint8_t signs = from[(5 * s + 4) * d->granule + place];
      for (int32_t i = 0; i < 8; ++i) {
        int8_t* t = tile + r * d->k_step + 24 * s + 3 * i;
        const int size = from[(5 * s + i / 2) * d->granule + place] >> (i % 2 * 4) & 15;
        int n = (signs >> i & 1 ? -size : size) + 13;
        for (int32_t j = 2; j >= 0; --j, n /= 3) t[j] = (int8_t)(n % 3 - 1);
      }
    }
  }
}
