/* fifths: int8 rows for mad5, block (4, 5, k_step / 20, granule): byte (i, j, q) of a token is
 * x[20 q + 5 i + j], so that the four columns that one digit j of four neighbouring weight bytes
 * belongs to lie side by side; with the sum of each token's values. */
#include "generator/entry/block_functions.h"

void trit_prepare_block(const trit_blocks_desc* d, const int8_t* rows, ptrdiff_t row_stride,
                        void* block, void* fixed) {
  int8_t* to = (int8_t*)block;
  int32_t* sums = (int32_t*)fixed;
  for (int32_t t = 0; t < d->granule; ++t) {
    const int8_t* from = rows + t * row_stride;
    int32_t sum = 0;
    for (int32_t q = 0; q < d->k_step / 20; ++q) {
      for (int32_t j = 0; j < 5; ++j) {
        for (int32_t i = 0; i < 4; ++i) *to++ = from[20 * q + 5 * i + j];
      }
    }
    for (int32_t k = 0; k < d->k_step; ++k) sum += from[k];
    sums[t] += sum;
  }
}
