/* rows: int8 values as they are, block (k_step, granule), with the sum of each token's values. */
#include "generator/entry/block_functions.h"

void trit_prepare_block(const trit_blocks_desc* d, const int8_t* rows, ptrdiff_t row_stride,
                        void* block, void* fixed) {
  int8_t* to = (int8_t*)block;
  int32_t* sums = (int32_t*)fixed;
  for (int32_t t = 0; t < d->granule; ++t) {
    const int8_t* from = rows + t * row_stride;
    int32_t sum = 0;
    for (int32_t k = 0; k < d->k_step; ++k) {
      to[t * d->k_step + k] = from[k];
      sum += from[k];
    }
    sums[t] += sum;
  }
}
