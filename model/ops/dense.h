// The dense head: logits = W x in float32, W in a file's dense type, read once a call at memory
// speed. The input is not rounded to anything narrower than float32.
//
// Two forms in memory, both with exactly the file's bits (no requantisation):
//   rows         F32, F16, BF16, Q8_0: rows as in the file. A dot product runs in 32 virtual lanes.
//   interleaved  Q6_K, Q4_0: 16 rows side by side, one 32-bit lane a row, so that unpacking costs
//                one `and` and one conversion for 16 weights; shifts are folded into the input as
//                exact powers of two, offsets (32, 8) into a term computed once a token.
//
//   Q6_K, 16 rows x 256 columns, 3360 bytes:
//     f16 d[16 rows] | int8 scale[16 subs][16 rows] | u32 w[16 subs][3][16 rows]
//     column 16 s + i, i < 12: bits 8 (i mod 4) .. +5 of w[s][i / 4]; i >= 12: bits 6, 7 of byte
//     i - 12 of w[s][0], w[s][1], w[s][2], lowest first. Codes stand on bytes for screen.h.
//   Q4_0, 16 rows x 32 columns, 288 bytes:
//     f16 d[16 rows] | u32 w[4][16 rows]; column 8 j + i: bits 4 i .. 4 i + 3 of w[j]
//
// One output's float operations have one order whatever the vector length, the slice of rows and
// the number of tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "model/source/tensor.h"

namespace trit::ops {

inline constexpr int64_t kDenseRowGranule = 16;

// Where a matrix lies: row-major or interleaved by type.
struct DenseView {
  DenseType type = DenseType::kF32;
  int64_t n = 0;
  int64_t k = 0;
  const uint8_t* data = nullptr;
};

// True for the types Multiply takes: F32, F16, BF16, Q8_0, Q6_K, Q4_0 (k fitting the blocks).
bool DenseTypeHasKernel(DenseType type, int64_t k);
// Bytes of n rows (rounded up to 16) in memory.
uint64_t DenseBytes(DenseType type, int64_t n, int64_t k);

// Rows [row_begin, row_end) from the file's form to the form in memory. row_begin is a multiple of
// 16; `rows` points to row row_begin. Rows beyond n of the last group become zero.
void PackDenseRows(DenseType type, int64_t n, int64_t k, int64_t row_begin, int64_t row_end,
                   const uint8_t* rows, uint8_t* packed);
// One row as float32.
void UnpackDenseRow(const DenseView& view, int64_t row, float* out);

// Input of m tokens in the form the type's kernel reads: DensePreparedFloats floats a token.
int64_t DensePreparedFloats(DenseType type, int64_t k);
void PrepareDenseInput(DenseType type, int64_t k, const float* x, float* prepared);

// y[t * y_stride + r] for rows r in [n_begin, n_end), n_begin a multiple of 16, n_end too or n.
// Writes up to Pad(n_end, 16). prepared: token t at t * DensePreparedFloats.
void MultiplyDense(const DenseView& view, const float* prepared, int64_t tokens, int64_t n_begin,
                   int64_t n_end, float* y, int64_t y_stride);

}  // namespace trit::ops
