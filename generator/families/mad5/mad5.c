/* mad5: five trits in a byte for the dot product. A block is (4 bytes, granule rows, k_step / 20);
 * the four bytes of a row are four groups i = 0..3 of five columns k = 20 q + 5 i .. 20 q + 5 i + 4.
 * n = 0..242 is a group's base-3 number, trit + 1 as digit, the first the highest; the byte is
 * ceil(256 n / 243), so that multiplying by three moves the next digit into the bits above it:
 * digit = 3 byte >> 8, byte = 3 byte & 255, five times. */
#include "generator/entry/block_functions.h"

void trit_pack_block(const trit_blocks_desc* d, const int8_t* tile, void* block, void* fixed) {
  uint8_t* to = (uint8_t*)block;
  (void)fixed;
  for (int32_t q = 0; q < d->k_step / 20; ++q) {
    for (int32_t r = 0; r < d->granule; ++r) {
      const int8_t* t = tile + r * d->k_step + 20 * q;
      for (int32_t i = 0; i < 4; ++i, t += 5) {
        const int n = t[0] * 81 + t[1] * 27 + t[2] * 9 + t[3] * 3 + t[4] + 121;
        *to++ = (uint8_t)((n * 256 + 242) / 243);
      }
    }
  }
}

void trit_unpack_block(const trit_blocks_desc* d, const void* block, int8_t* tile) {
  const uint8_t* from = (const uint8_t*)block;
  for (int32_t q = 0; q < d->k_step / 20; ++q) {
    for (int32_t r = 0; r < d->granule; ++r) {
      int8_t* t = tile + r * d->k_step + 20 * q;
      for (int32_t i = 0; i < 4; ++i) {
        int byte = *from++;
        for (int32_t j = 0; j < 5; ++j, byte = 3 * byte & 255) *t++ = (int8_t)((3 * byte >> 8) - 1);
      }
    }
  }
}
