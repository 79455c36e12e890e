// y[m, n] = sum over k of a[m, k] * w[n, k], exact in int32, on every thread of a team.
//
// Every thread of the team calls MatMul with the same arguments, inside pool.Run. The product is
// cut into slices as the kernel's choice row says (contiguous row ranges, one a thread, where the
// row says nothing). There is no barrier at the end: sums of other threads' slices are there after
// the caller's next team.Barrier(). The sums never depend on the number of threads or the slicing.
//
// An epilogue sees each finished slice while it is in cache, on the thread that made it. With one,
// `y` may be left empty: the sums then live in the thread's own scratch and are gone after the
// call, which saves a pass over memory for prefill (14 MB of int32 for 512 tokens x 6912).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "runtime/abi/trit_kernel.h"
#include "runtime/activations.h"
#include "runtime/function_ref.h"
#include "runtime/packed_matrix.h"
#include "runtime/thread_pool.h"

namespace trit {

// Room for sums: m tokens of n, with the padding that kernels may write.
class Sums {
 public:
  Sums(const KernelSet& kernels, int32_t m_max, int32_t n_max);
  int32_t* Row(int32_t token) { return data_.get() + token * stride_; }
  const int32_t* Row(int32_t token) const { return data_.get() + token * stride_; }
  ptrdiff_t stride() const { return stride_; }
  int32_t rows() const { return rows_; }  // padded

 private:
  std::shared_ptr<int32_t> data_;
  ptrdiff_t stride_;
  int32_t rows_;
};

// A finished part of the product, real tokens and rows only.
struct MatMulSlice {
  int32_t m_begin, m_end;
  int32_t n_begin, n_end;
  const int32_t* y;  // sum of (m_begin, n_begin)
  ptrdiff_t y_stride;
  const int32_t* Row(int32_t token) const { return y + (token - m_begin) * y_stride; }
};
using Epilogue = FunctionRef<void(const MatMulSlice&)>;

// How a product is cut into tasks: n_tasks row ranges of n_step rows times m_tasks token ranges of
// m_step tokens (the last of each shorter); task t is rows t / m_tasks, tokens t % m_tasks.
struct ProductGrid {
  int64_t n_step, m_step;  // multiples of the granules
  int64_t n_tasks, m_tasks;
};
// As the choice says. Where it says nothing: contiguous row ranges, one a thread, so that every
// thread streams its own part of the weights once; token ranges where they are more even, or as
// good as even and long enough (64 tokens) that what a kernel unpacks for each range is forgotten:
// tables that lut3w makes of tokens are then made once instead of once a thread, 3 to 6 % of 2560
// rows on two threads.
ProductGrid CutProduct(const trit_kernel& kernel, int32_t n_per_task, int32_t m_per_task,
                       int32_t n_padded, int32_t m_padded, int threads);

void MatMul(Team& team, const PackedMatrix& w, Activations& a, Sums& y);
void MatMul(Team& team, const PackedMatrix& w, Activations& a, Sums& y, Epilogue epilogue);
void MatMul(Team& team, const PackedMatrix& w, Activations& a, Epilogue epilogue);

}  // namespace trit
