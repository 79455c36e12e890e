/* bits: bit-serial quads. The code of a weight is weight + 1 = 0..2, two bits. A block is (granule
 * places, k_step / 4) bytes; byte s of a row (TritRowOf, common/places.h) holds the low bits of the
 * codes k = 4 s .. 4 s + 3 in bits 0..3 and their high bits in bits 4..7. */
#include "generator/entry/block_functions.h"
#include "generator/families/common/places.h"

void trit_pack_block(const trit_blocks_desc* d, const int8_t* tile, void* block, void* fixed) {
  uint8_t* to = (uint8_t*)block;
  (void)fixed;
  for (int32_t s = 0; s < d->k_step / 4; ++s) {
    for (int32_t place = 0; place < d->granule; ++place) {
      const int8_t* t = tile + TritRowOf(place, d->option[0]) * d->k_step + 4 * s;
      int byte = 0;
      for (int32_t i = 0; i < 4; ++i) {
        const int code = t[i] + 1;
        byte |= (code & 1) << i | (code >> 1) << (4 + i);
      }
      *to++ = (uint8_t)byte;
    }
  }
}

void trit_unpack_block(const trit_blocks_desc* d, const void* block, int8_t* tile) {
  const uint8_t* from = (const uint8_t*)block;
  for (int32_t s = 0; s < d->k_step / 4; ++s) {
    for (int32_t place = 0; place < d->granule; ++place, ++from) {
      int8_t* t = tile + TritRowOf(place, d->option[0]) * d->k_step + 4 * s;
      for (int32_t i = 0; i < 4; ++i) {
        t[i] = (int8_t)((*from >> i & 1) + 2 * (*from >> (4 + i) & 1) - 1);
      }
    }
  }
}
