/* lut5: five trits in a byte. The trits k = 5 g .. 5 g + 4 make a base-3 number n = 0..242, first
 * trit highest, trit + 1 as digit. Numbers fold at the middle: byte = n - 121 for n >= 121, else
 * 128 | (121 - n), a set sign bit meaning "minus the sum of entry byte & 127".
 *
 * A block is (8 b, 2 h, 4 l, granule / 64 v, k_step / 5 g) bytes; byte (b, h, l, v) belongs to row
 * 64 v + 32 h + 8 l + b, the order in which unpack instructions leave joined bytes:
 *
 *   byte   0..7   8..15   16..23   24..31   32..39   40..47   48..55   56..63
 *   row    0..7   32..39  8..15    40..47   16..23   48..55   24..31   56..63
 *
 * Kernels complement instead of negating (~v = -v - 1): `fixed` counts each row's signed groups,
 * and the kernel adds it to the sum.
 */
#include "generator/entry/block_functions.h"

static int32_t RowOf(int32_t place) {
  return place / 64 * 64 + place / 8 % 2 * 32 + place / 16 % 4 * 8 + place % 8;
}

void trit_pack_block(const trit_blocks_desc* d, const int8_t* tile, void* block, void* fixed) {
  uint8_t* to = (uint8_t*)block;
  int32_t* signs = (int32_t*)fixed;
  for (int32_t g = 0; g < d->k_step / 5; ++g) {
    for (int32_t place = 0; place < d->granule; ++place) {
      const int32_t r = RowOf(place);
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
      int8_t* t = tile + RowOf(place) * d->k_step + 5 * g;
      int n = (*from & 127) + 121;
      if (*from & 128) n = 242 - n;
      for (int32_t i = 4; i >= 0; --i, n /= 3) t[i] = (int8_t)(n % 3 - 1);
    }
  }
}
