/* pairs: int8 rows, two tokens side by side in steps of eight columns: block (8, 2, k_step / 8,
 * granule / 2), with the sum of each token's values. */
#include "generator/entry/block_functions.h"

void trit_prepare_block(const trit_blocks_desc* d, const int8_t* rows, ptrdiff_t row_stride,
                        void* block, void* fixed) {
  int8_t* to = (int8_t*)block;
  int32_t* sums = (int32_t*)fixed;
  for (int32_t t = 0; t < d->granule; ++t) {
    const int8_t* from = rows + t * row_stride;
    int8_t* out = to + t / 2 * 2 * d->k_step + t % 2 * 8;
    int32_t sum = 0;
    for (int32_t k = 0; k < d->k_step; ++k) {
      out[k / 8 * 16 + k % 8] = from[k];
      sum += from[k];
    }
    sums[t] += sum;
  }
}
