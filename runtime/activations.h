// The int8 input of matrix products: M tokens of K values with a float scale each, and the forms
// that kernels read (rows with sums, lookup tables ...), prepared once and shared by every matmul
// with the same input (q/k/v; gate/up).
//
// Life of one step, inside a parallel region:
//   one thread:    acts.Reset(m)                     -- forgets the old content
//   barrier
//   all threads:   write Row(t)[0 .. k-1], scale(t)  -- each token by one thread
//   barrier
//   all threads:   MatMul(team, weights, acts, ...)  -- prepares what the kernel needs, once
// Padding (columns from k on, tokens from m on) is zero and must not be written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/kernel_set.h"
#include "runtime/thread_pool.h"

namespace trit {

class Activations {
 public:
  // Room for m_max tokens of k values, padded for any kernel of the set, used by teams of up to
  // `threads` threads.
  Activations(const KernelSet& kernels, int32_t m_max, int32_t k, int threads);
  Activations(const Activations&) = delete;
  Activations& operator=(const Activations&) = delete;

  // Starts new content of m tokens (1 .. m_max). One thread; nobody else may use this meanwhile.
  void Reset(int32_t m);

  int32_t m() const { return m_; }
  int32_t m_max() const { return m_max_; }
  int32_t k() const { return k_; }
  int8_t* Row(int32_t token) { return rows_.get() + token * row_stride_; }
  const int8_t* Row(int32_t token) const { return rows_.get() + token * row_stride_; }
  ptrdiff_t row_stride() const { return row_stride_; }

  // Whatever turns an int32 sum of this token back into a float, usually absmax / 127.
  float& scale(int32_t token) { return scales_[token]; }
  float scale(int32_t token) const { return scales_[token]; }

  // The prepared block for a kernel that reads K padded to k_padded. Every thread of the team
  // calls this with the same arguments; the pieces are shared out, and a barrier ends it when there
  // was something to do. A small block and few threads: each thread prepares one of its own, which
  // costs less than moving half of it from another core's cache, and needs no barrier. Further
  // calls with a form of the same id and padding return at once.
  const std::byte* Prepare(Team& team, const trit_kernel& kernel, int32_t k_padded);

 private:
  // One prepared form. Each thread keeps its own view of it, so that no thread reads what another
  // one writes without a lock or a barrier in between.
  struct Form {
    std::string id;
    int32_t m_padded = 0, k_padded = 0;
    uint64_t generation = 0;  // that m_padded belongs to
    std::mutex mutex;         // guards the four below
    std::shared_ptr<std::byte> data;
    uint64_t bytes = 0;
    uint32_t align = 64;
    uint64_t ready_for = 0;  // the generation there is room for
    struct alignas(64) View {
      uint64_t generation = 0;
      const std::byte* data = nullptr;
      std::shared_ptr<std::byte> own;  // this thread's block
      uint64_t own_bytes = 0;
      uint32_t own_align = 0;
    };
    std::vector<View> views;
  };
  Form& FindForm(const trit_act_form& form, int32_t m_padded, int32_t k_padded);

  const int32_t m_max_, k_;
  const int threads_;
  int32_t m_ = 0, m_granule_max_ = 1;
  int64_t rows_capacity_ = 0, zero_begin_ = 0, zero_end_ = 0;
  ptrdiff_t row_stride_ = 0;
  uint64_t generation_ = 1;
  std::shared_ptr<int8_t> rows_;
  std::vector<float> scales_;
  std::mutex forms_mutex_;
  std::vector<std::unique_ptr<Form>> forms_;
};

}  // namespace trit
