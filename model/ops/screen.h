// A first look at all logits of a Q6_K head by int8 dot products, and the exact values where they
// could matter.
//
// Eight rows of float inputs cost 22 ms of fused multiply-adds for a 128256 x 2560 head on two Zen
// 4 cores, three times as long as reading it; 64 int8 products an instruction keep up with memory.
//
//   screened[r] = sum over blocks of 64 columns b of scale[b] * sum of weight[r][c] * q[c]
//
// where q is the input rounded to int8 by the block's own scale. By Cauchy and Schwarz a screened
// logit is nearer than `bound` = |largest row| * |input - rounded input| (and the float roundings)
// to what MultiplyDense gives. RefineLargest then computes every row that could be the largest, by
// MultiplyDense itself: the largest logit and its row are exactly those of MultiplyDense, the
// others are within the bound. Both depend on the token's input alone, on nothing else in the call.
#pragma once

#include <cstdint>

#include "model/ops/dense.h"

namespace trit::ops {

inline constexpr int64_t kScreenColumns = 64;
// Tokens of one call at most. Their blocks of the same columns lie side by side: block b of token t
// is blocks[b * kScreenTokens + t].
inline constexpr int64_t kScreenTokens = 16;

// 64 columns of one token.
struct ScreenBlock {
  int8_t q[kScreenColumns];
  int32_t start[4];  // -32 * sum of q over each 16 columns: codes are stored with an offset of 32
  float scale;
};

// True for Q6_K with k a multiple of 256.
bool ScreenHasKernel(DenseType type, int64_t k);

// Writes k / 64 blocks, every kScreenTokens-th from `blocks` on. Returns how far screened logits
// may be from the exact ones, given the largest norm of a row (LargestRowNorm); not a number or
// infinite when an input is.
float PrepareScreenInput(const float* x, int64_t k, float largest_row_norm, ScreenBlock* blocks);

// An upper bound of the Euclidean norms of rows [begin, end), begin a multiple of 16.
float LargestRowNorm(const DenseView& view, int64_t begin, int64_t end);

// As MultiplyDense, for at most kScreenTokens tokens.
void MultiplyScreened(const DenseView& view, const ScreenBlock* blocks, int64_t tokens,
                      int64_t n_begin, int64_t n_end, float* y, int64_t y_stride);

// y holds one token's screened logits, padded to 16; `prepared` is its input as MultiplyDense reads
// it. Groups of 16 rows with a logit within 2 * bound of the largest get exact ones; all of them do
// when the bound is no finite number. Returns the groups computed.
int64_t RefineLargest(const DenseView& view, const float* prepared, float bound, float* y);

}  // namespace trit::ops
