/* lut4: four trits in a byte, 81 of 128 entries. A block is (granule places, k_step / 4) bytes; byte s
 * of a row (TritRowOf, common/places.h) is the base-3 number of the trits k = 4 s .. 4 s + 3, trit + 1
 * as digit, the first the highest. */
#include "generator/entry/block_functions.h"
#include "generator/families/common/places.h"

void trit_pack_block(const trit_blocks_desc* d, const int8_t* tile, void* block, void* fixed) {
  uint8_t* to = (uint8_t*)block;
  (void)fixed;
  for (int32_t s = 0; s < d->k_step / 4; ++s) {
    for (int32_t place = 0; place < d->granule; ++place) {
      const int8_t* t = tile + TritRowOf(place, d->option[0]) * d->k_step + 4 * s;
      *to++ = (uint8_t)(t[0] * 27 + t[1] * 9 + t[2] * 3 + t[3] + 40);
    }
  }
}

void trit_unpack_block(const trit_blocks_desc* d, const void* block, int8_t* tile) {
  const uint8_t* from = (const uint8_t*)block;
  for (int32_t s = 0; s < d->k_step / 4; ++s) {
    for (int32_t place = 0; place < d->granule; ++place, ++from) {
      int8_t* t = tile + TritRowOf(place, d->option[0]) * d->k_step + 4 * s;
      int n = *from;
      for (int32_t i = 3; i >= 0; --i, n /= 3) t[i] = (int8_t)(n % 3 - 1);
    }
  }
}
