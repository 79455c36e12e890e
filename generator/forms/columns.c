/* columns: int8 values with the tokens side by side, block (granule tokens, k_step): byte (t, k) is
 * x[k] of token t. What vector lookups add up. A granule is a multiple of 16 tokens: 16 of
 * them x 16 (or 8) columns are turned in registers, by interleaving the halves of the rows until
 * every row has met every other. */
#include "generator/entry/block_functions.h"

typedef uint8_t Row __attribute__((vector_size(16)));

#define LOW(a, b) \
  __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(a, b) \
  __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)

/* Rows 2 i and 2 i + 1 of `to`: row i of `from` between those of row i + 8. Four times is a turn.
 */
static inline void Interleave(const Row* from, Row* to) {
#pragma clang loop unroll(full)
  for (int32_t i = 0; i < 8; ++i) {
    to[2 * i] = LOW(from[i], from[i + 8]);
    to[2 * i + 1] = HIGH(from[i], from[i + 8]);
  }
}

/* 16 tokens x `columns` (16 or 8), `stride` bytes from a column to the next. */
static inline void Turn(const int8_t* rows, ptrdiff_t row_stride, int32_t columns, uint8_t* to,
                        int32_t stride) {
  Row a[16], b[16];
#pragma clang loop unroll(full)
  for (int32_t t = 0; t < 16; ++t) {
    a[t] = (Row){0};
    if (columns == 16) {
      __builtin_memcpy(&a[t], rows + t * row_stride, 16);
    } else {
      __builtin_memcpy(&a[t], rows + t * row_stride, 8);
    }
  }
  Interleave(a, b);
  Interleave(b, a);
  Interleave(a, b);
  Interleave(b, a);
#pragma clang loop unroll(full)
  for (int32_t k = 0; k < columns; ++k) __builtin_memcpy(to + k * stride, &a[k], 16);
}

void trit_prepare_block(const trit_blocks_desc* d, const int8_t* rows, ptrdiff_t row_stride,
                        void* block, void* fixed) {
  uint8_t* to = (uint8_t*)block;
  const int32_t many = d->granule;
  (void)fixed;
#pragma clang loop unroll(disable)
  for (int32_t t = 0; t < many; t += 16) {
    const int8_t* from = rows + t * row_stride;
    int32_t k = 0;
#pragma clang loop unroll(disable)
    for (; k + 16 <= d->k_step; k += 16) Turn(from + k, row_stride, 16, to + k * many + t, many);
    for (; k + 8 <= d->k_step; k += 8) Turn(from + k, row_stride, 8, to + k * many + t, many);
    for (; k < d->k_step; ++k) {
      for (int32_t i = 0; i < 16; ++i) to[k * many + t + i] = (uint8_t)from[i * row_stride + k];
    }
  }
}
