/* rows: int8 values, block (k_step, granule), with the sum of each token's values. option[0] is a
 * mask put over every byte: 0, or 128, which makes them x + 128 as unsigned bytes. */
#include "generator/entry/block_functions.h"

void trit_prepare_block(const trit_blocks_desc* d, const int8_t* rows, ptrdiff_t row_stride,
                        void* block, void* fixed) {
  uint8_t* to = (uint8_t*)block;
  int32_t* sums = (int32_t*)fixed;
  const uint8_t mask = (uint8_t)d->option[0];
  for (int32_t t = 0; t < d->granule; ++t) {
    const int8_t* from = rows + t * row_stride;
    int32_t sum = 0;
    for (int32_t k = 0; k < d->k_step; ++k) {
      to[t * d->k_step + k] = (uint8_t)((uint8_t)from[k] ^ mask);
      sum += from[k];
    }
    sums[t] += sum;
  }
}
