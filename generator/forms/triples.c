/* triples: lookup tables of every group of three values. A block is (32 entries, k_step / 3) int16
 * for one token; entry 9 a + 3 b + c of group g is (a-1) x[3g] + (b-1) x[3g+1] + (c-1) x[3g+2],
 * entries 27..31 are 0. */
#include "generator/entry/block_functions.h"

/* The three digits of an entry, minus one; 0 from entry 27 on. */
static const int16_t kFirst[32] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0,
                                   0,  0,  1,  1,  1,  1,  1,  1,  1,  1, 1, 0, 0, 0, 0, 0};
static const int16_t kSecond[32] = {-1, -1, -1, 0,  0, 0, 1, 1, 1, -1, -1, -1, 0, 0, 0, 1,
                                    1,  1,  -1, -1, -1, 0, 0, 0, 1, 1, 1,  0,  0, 0, 0, 0};
static const int16_t kThird[32] = {-1, 0, 1,  -1, 0, 1,  -1, 0, 1,  -1, 0, 1, -1, 0, 1, -1,
                                   0,  1, -1, 0,  1, -1, 0,  1, -1, 0,  1, 0, 0,  0, 0, 0};

void trit_prepare_block(const trit_blocks_desc* d, const int8_t* rows, ptrdiff_t row_stride,
                        void* block, void* fixed) {
  int16_t* to = (int16_t*)block;
  (void)row_stride;
  (void)fixed;
  for (int32_t g = 0; g < d->k_step / 3; ++g) {
    const int16_t a = rows[3 * g], b = rows[3 * g + 1], c = rows[3 * g + 2];
    for (int32_t e = 0; e < 32; ++e) {
      to[32 * g + e] = (int16_t)(kFirst[e] * a + kSecond[e] * b + kThird[e] * c);
    }
  }
}
