/* lut2: two pairs of trits in a byte. A block is (granule places, k_step / 4) bytes; byte s of a row
 * (TritRowOf, common/places.h) holds the trits k = 4 s .. 4 s + 3:
 *
 *   bits   0-3                       4-7
 *   value  3 (t0 + 1) + (t1 + 1)     3 (t2 + 1) + (t3 + 1)       nine of sixteen entries
 */
#include "generator/entry/block_functions.h"
#include "generator/families/common/places.h"

void trit_pack_block(const trit_blocks_desc* d, const int8_t* tile, void* block, void* fixed) {
  uint8_t* to = (uint8_t*)block;
  (void)fixed;
  for (int32_t s = 0; s < d->k_step / 4; ++s) {
    for (int32_t place = 0; place < d->granule; ++place) {
      const int8_t* t = tile + TritRowOf(place, d->option[0]) * d->k_step + 4 * s;
      *to++ = (uint8_t)((t[0] + 1) * 3 + t[1] + 1 + 16 * ((t[2] + 1) * 3 + t[3] + 1));
    }
  }
}

void trit_unpack_block(const trit_blocks_desc* d, const void* block, int8_t* tile) {
  const uint8_t* from = (const uint8_t*)block;
  for (int32_t s = 0; s < d->k_step / 4; ++s) {
    for (int32_t place = 0; place < d->granule; ++place, ++from) {
      int8_t* t = tile + TritRowOf(place, d->option[0]) * d->k_step + 4 * s;
      t[0] = (int8_t)((*from & 15) / 3 - 1);
      t[1] = (int8_t)((*from & 15) % 3 - 1);
      t[2] = (int8_t)((*from >> 4) / 3 - 1);
      t[3] = (int8_t)((*from >> 4) % 3 - 1);
    }
  }
}
