/* mad2 by matrix instructions: a vector of weights is two rows of eight columns (four planes of
 * them), one of activations two tokens of the same columns, a sum two rows times two tokens. */
#include "generator/entry/body.h"
#include TRIT_MICRO_OPS

enum { kMaxPairs = 8 };

static inline __attribute__((always_inline)) void Tile(const trit_matmul_desc* d,
                                                       const TritSlice* s, int32_t g, int32_t m) {
  const int32_t row_pairs = d->w.granule / 2, token_pairs = d->m_granule / 2;
  const uint8_t* w0 = s->w + g * s->w_granule;
  const int8_t* x0 = (const int8_t*)s->act + m * s->act_granule;
  int32x4_t sum[kMaxPairs][kMaxPairs];
#pragma clang loop unroll(full)
  for (int32_t r = 0; r < row_pairs; ++r) {
#pragma clang loop unroll(full)
    for (int32_t t = 0; t < token_pairs; ++t) sum[r][t] = vdupq_n_s32(0);
  }
  for (int32_t b = 0; b < s->k_blocks; ++b) {
    const uint8_t* w = w0 + b * s->w_block;
    const int8_t* x = x0 + b * s->act_block;
#pragma clang loop unroll(disable)
    for (int32_t q = 0; q < d->w.k_step / 32; ++q, w += 16 * row_pairs, x += 64) {
#pragma clang loop unroll(full)
      for (int32_t j = 0; j < 4; ++j) {
        int8x16_t columns[kMaxPairs];
#pragma clang loop unroll(full)
        for (int32_t t = 0; t < token_pairs; ++t) {
          columns[t] = vld1q_s8(x + 16 * j + 2 * d->act.k_step * t);
        }
#pragma clang loop unroll(full)
        for (int32_t r = 0; r < row_pairs; ++r) {
          const uint8x16_t bytes = vld1q_u8(w + 16 * r);
          const uint8x16_t shifted = vshlq_u8(bytes, vdupq_n_s8((int8_t)(-2 * j)));
          const uint8x16_t rows = j < 3 ? vandq_u8(shifted, vdupq_n_u8(3)) : shifted;
#pragma clang loop unroll(full)
          for (int32_t t = 0; t < token_pairs; ++t) {
            sum[r][t] = TritMatrix(sum[r][t], rows, columns[t]);
          }
        }
      }
    }
  }
  const int32_t* sums = (const int32_t*)(s->act_fixed + (size_t)m * (size_t)d->act.fixed_bytes);
#pragma clang loop unroll(full)
  for (int32_t t = 0; t < token_pairs; ++t) {
    int32_t* y = s->y + (m * d->m_granule + 2 * t) * s->y_token + g * d->w.granule;
#pragma clang loop unroll(full)
    for (int32_t r = 0; r < row_pairs; r += 2) {
      const int32x4_t even = vuzp1q_s32(sum[r][t], sum[r + 1][t]);
      const int32x4_t odd = vuzp2q_s32(sum[r][t], sum[r + 1][t]);
      vst1q_s32(y + 2 * r, vsubq_s32(even, vdupq_n_s32(sums[2 * t])));
      vst1q_s32(y + s->y_token + 2 * r, vsubq_s32(odd, vdupq_n_s32(sums[2 * t + 1])));
    }
  }
}

static inline void TritBody(const trit_matmul_desc* d, const TritSlice* s) {
  for (int32_t g = 0; g < s->granules; ++g) {
    for (int32_t m = 0; m < s->token_granules; ++m) Tile(d, s, g, m);
  }
}
