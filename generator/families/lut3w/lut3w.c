/* lut3w: nine trits in a 16-bit word. A block is (granule rows, k_step / 9); word (r, g) of row r
 * holds the trits k = 9 g .. 9 g + 8 as three base-3 numbers 0..26, the first trit the highest
 * digit, trit + 1 as digit:
 *
 *   k         9g .. 9g+2   9g+3 .. 9g+5   9g+6 .. 9g+8
 *   number    first        second         third
 *   bits      0-4          8-12           all sixteen: word * 1056 / 65536 mod 32
 *
 * that is 33 word / 2048. A number f in bits 5-7 adds 33 f / 64 to it, 0 to 3.6, and h in bits
 * 13-15 adds 132 h, 4 h mod 32: together they bring it to any number, whatever first and second
 * are.
 */
#include "generator/entry/block_functions.h"

static int Third(int word) {
  return word * 33 >> 11 & 31;
}

static int Word(int first, int second, int third) {
  const int word = first | second << 8;
  const int low = word * 33 >> 11; /* the product with f = h = 0 */
  const int up = (third - low) & 31;
  const int h = up >> 2, move = up & 3;
  /* The least f that moves the product up by `move`: 33 (word + 32 f) >= (low + move) << 11. */
  const int f = move ? (((low + move) << 11) - 33 * word + 1055) / 1056 : 0;
  return word | f << 5 | h << 13;
}

void trit_pack_block(const trit_blocks_desc* d, const int8_t* tile, void* block, void* fixed) {
  uint16_t* to = (uint16_t*)block;
  (void)fixed;
  for (int32_t g = 0; g < d->k_step / 9; ++g) {
    for (int32_t r = 0; r < d->granule; ++r) {
      const int8_t* t = tile + r * d->k_step + 9 * g;
      int triple[3];
      for (int32_t j = 0; j < 3; ++j) {
        triple[j] = (t[3 * j] + 1) * 9 + (t[3 * j + 1] + 1) * 3 + t[3 * j + 2] + 1;
      }
      *to++ = (uint16_t)Word(triple[0], triple[1], triple[2]);
    }
  }
}

void trit_unpack_block(const trit_blocks_desc* d, const void* block, int8_t* tile) {
  const uint16_t* from = (const uint16_t*)block;
  for (int32_t g = 0; g < d->k_step / 9; ++g) {
    for (int32_t r = 0; r < d->granule; ++r, ++from) {
      int8_t* t = tile + r * d->k_step + 9 * g;
      const int triple[3] = {*from & 31, *from >> 8 & 31, Third(*from)};
      for (int32_t j = 0; j < 3; ++j) {
        t[3 * j] = (int8_t)(triple[j] / 9 - 1);
        t[3 * j + 1] = (int8_t)(triple[j] / 3 % 3 - 1);
        t[3 * j + 2] = (int8_t)(triple[j] % 3 - 1);
      }
    }
  }
}
