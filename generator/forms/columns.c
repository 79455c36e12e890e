/* columns: int8 values with the tokens side by side, block (granule tokens, k_step): byte (t, k) is
 * x[k] of token t. What vector lookups add up. */
#include "generator/entry/block_functions.h"

void trit_prepare_block(const trit_blocks_desc* d, const int8_t* rows, ptrdiff_t row_stride,
                        void* block, void* fixed) {
  int8_t* to = (int8_t*)block;
  (void)fixed;
  for (int32_t k = 0; k < d->k_step; ++k) {
    for (int32_t t = 0; t < d->granule; ++t) to[k * d->granule + t] = rows[t * row_stride + k];
  }
}
