/* lut5: five trits in a byte. The trits k = 5 g .. 5 g + 4 make a balanced base-3 number n = -121..121,
 * first trit highest. byte = n for n >= 0, else 128 | -n: a set top bit means "minus the sum of
 * entry byte & 127".
 *
 * A block is (granule places, k_step / 5) bytes; a place's row is TritRowOf's (common/places.h).
 * Kernels complement instead of negating (~v = -v - 1): `fixed` counts each row's negative groups,
 * and the kernel adds it to the sum.
 */
#include "generator/entry/block_functions.h"
#include "generator/families/common/places.h"

void trit_pack_block(const trit_blocks_desc* d, const int8_t* tile, void* block, void* fixed) {
  uint8_t* to = (uint8_t*)block;
  int32_t* signs = (int32_t*)fixed;
  for (int32_t g = 0; g < d->k_step / 5; ++g) {
    for (int32_t place = 0; place < d->granule; ++place) {
      const int32_t r = TritRowOf(place, d->option[0]);
      const int8_t* t = tile + r * d->k_step + 5 * g;
      const int n = t[0] * 81 + t[1] * 27 + t[2] * 9 + t[3] * 3 + t[4];
      if (n < 0) ++signs[r];
      *to++ = (uint8_t)(n < 0 ? 128 - n : n);
    }
  }
}

void trit_unpack_block(const trit_blocks_desc* d, const void* block, int8_t* tile) {
  const uint8_t* from = (const uint8_t*)block;
  for (int32_t g = 0; g < d->k_step / 5; ++g) {
    for (int32_t place = 0; place < d->granule; ++place, ++from) {
      int8_t* t = tile + TritRowOf(place, d->option[0]) * d->k_step + 5 * g;
      int n = (*from & 127) + 121;
      if (*from & 128) n = 242 - n;
      for (int32_t i = 4; i >= 0; --i, n /= 3) t[i] = (int8_t)(n % 3 - 1);
    }
  }
}
