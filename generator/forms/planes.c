/* planes: lookup tables of groups of values in two byte planes. A block is (entries, 2 planes,
 * groups) bytes for one token: the low bytes of a group's int16 entries, then their high bytes.
 * Entry e of group g is the sum over i of x[group g + i] * digit(e, i); i = 0 is the highest digit.
 *
 *   option[0]  values of a group
 *   option[1]  entries: 16 or 128
 *   option[2]  digits: 0 base 3 minus one; 1 balanced base 3 of e >= 0; 2 the bits of e, the last
 *              value the highest bit
 *   option[3]  8: the planes are an entry's two bytes. 7: its low seven bits, and 64 + the rest, so
 *              that two low halves add up in a byte and both are complemented by the same bits
 *
 * Entries that no packer makes hold whatever the formula gives or 0. */
#include "generator/entry/block_functions.h"

static inline int32_t Power3(int32_t i) {
  int32_t p = 1;
  while (i-- > 0) p *= 3;
  return p;
}

static inline int16_t Digit(const trit_blocks_desc* d, int32_t e, int32_t i) {
  const int32_t group = d->option[0];
  if (d->option[2] == 2) return (int16_t)(e >> i & 1);
  const int32_t count = Power3(group), half = d->option[2] == 1 ? (count - 1) / 2 : 0;
  if (e + half >= count) return 0;
  return (int16_t)((e + half) / Power3(group - 1 - i) % 3 - 1);
}

/* 128 entries of five balanced digits: with e + 121 = 27 h + c, entry e is the sum of the first two
 * values under h plus that of the last three under c. Two shuffles and an add make 32 entries,
 * where the formula takes five products and four adds. */
typedef int16_t Lanes __attribute__((vector_size(64)));
typedef uint8_t Bytes __attribute__((vector_size(64)));

/* f(e + 121) of 32 neighbouring entries; past entry 121 anything. */
#define EIGHT(f, e) f(e), f(e + 1), f(e + 2), f(e + 3), f(e + 4), f(e + 5), f(e + 6), f(e + 7)
#define LANES(f, e) EIGHT(f, e), EIGHT(f, e + 8), EIGHT(f, e + 16), EIGHT(f, e + 24)
#define LAST(e) ((e) + 121) % 27
#define FIRST(e) (((e) + 121) / 27)
#define EVEN(i) 2 * (i)
#define ODD(i) 2 * (i) + 1

#define ENTRIES(first, last, e)                          \
  (__builtin_shufflevector(last, last, LANES(LAST, e)) + \
   __builtin_shufflevector(first, first, LANES(FIRST, e)))

#define DIGIT1(l) (l) % 3 - 1
#define DIGIT3(l) (l) / 3 % 3 - 1
#define DIGIT9(l) (l) / 9 % 3 - 1

static void PrepareFives(const int8_t* x, int32_t groups, int32_t seven, uint8_t* to) {
  const Lanes ones = {LANES(DIGIT1, 0)}, threes = {LANES(DIGIT3, 0)}, nines = {LANES(DIGIT9, 0)};
  for (int32_t g = 0; g < groups; ++g, x += 5, to += 256) {
    const Lanes first = threes * x[0] + ones * x[1];
    const Lanes last = nines * x[2] + threes * x[3] + ones * x[4];
    for (int32_t half = 0; half < 2; ++half) {
      const Lanes a = half ? ENTRIES(first, last, 64) : ENTRIES(first, last, 0);
      const Lanes b = half ? ENTRIES(first, last, 96) : ENTRIES(first, last, 32);
      const Lanes c = seven ? a + a : a, d = seven ? b + b : b;
      Bytes low = __builtin_shufflevector((Bytes)a, (Bytes)b, LANES(EVEN, 0), LANES(EVEN, 32));
      Bytes high = __builtin_shufflevector((Bytes)c, (Bytes)d, LANES(ODD, 0), LANES(ODD, 32));
      if (seven) {
        low &= 127;
        high += 64;
      }
      __builtin_memcpy(to + 64 * half, &low, 64);
      __builtin_memcpy(to + 64 * half + 128, &high, 64);
    }
  }
}

void trit_prepare_block(const trit_blocks_desc* d, const int8_t* rows, ptrdiff_t row_stride,
                        void* block, void* fixed) {
  const int32_t group = d->option[0], entries = d->option[1], seven = d->option[3] == 7;
  uint8_t* to = (uint8_t*)block;
  (void)row_stride;
  if (group == 5 && entries == 128 && d->option[2] == 1 && d->fixed_count == 0) {
    PrepareFives(rows, d->k_step / 5, d->option[3] == 7, to);
    return;
  }
  /* Five terms written out, those past `group` constant zeros: the vectoriser wants it flat. */
  int16_t digits[5][128];
  for (int32_t i = 0; i < 5; ++i) {
    for (int32_t e = 0; e < entries; ++e) digits[i][e] = i < group ? Digit(d, e, i) : 0;
  }
  for (int32_t g = 0; g < d->k_step / group; ++g) {
    const int8_t* x = rows + group * g;
    const int16_t x0 = x[0], x1 = x[1], x2 = group > 2 ? x[2] : 0, x3 = group > 3 ? x[3] : 0,
                  x4 = group > 4 ? x[4] : 0;
    uint8_t* low = to + 2 * entries * g;
    for (int32_t e = 0; e < entries; ++e) {
      const int16_t v = (int16_t)(digits[0][e] * x0 + digits[1][e] * x1 + digits[2][e] * x2 +
                                  digits[3][e] * x3 + digits[4][e] * x4);
      low[e] = (uint8_t)(seven ? v & 127 : v);
      low[entries + e] = (uint8_t)(seven ? (v >> 7) + 64 : v >> 8);
    }
  }
  if (d->fixed_count > 0) { /* the sum of the token's values, for codes that start at 0 */
    int32_t sum = 0;
    for (int32_t k = 0; k < d->k_step; ++k) sum += rows[k];
    *(int32_t*)fixed += sum;
  }
}
