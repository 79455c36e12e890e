// A ternary weight matrix W[N, K] in the layout its kernels read, packed once.
//
// Rows come from a source, some hundred at a time and from several threads, so that a model is
// never expanded as a whole: with K = 6912 a piece is about 1 MB of int8 trits a thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/kernel_set.h"
#include "runtime/memory.h"
#include "runtime/thread_pool.h"

namespace trit {

// Writes the canonical trits of rows [row_begin, row_end), K bytes a row without gaps, each -1, 0
// or +1. Called from several threads at once on different rows. May throw: packing stops.
using RowSource = std::function<void(int32_t row_begin, int32_t row_end, int8_t* out)>;

// Called now and then, by one thread at a time, with rows done so far; ends with rows == n.
using PackProgress = std::function<void(int32_t rows, int32_t n)>;

class PackedMatrix {
 public:
  PackedMatrix() = default;

  int32_t n() const { return plan_.n(); }
  int32_t k() const { return plan_.k(); }
  int32_t n_padded() const { return n_padded_; }
  int32_t k_padded() const { return k_padded_; }
  const trit_layout& layout() const { return plan_.layout(); }
  const KernelPlan& plan() const { return plan_; }
  const std::byte* data() const { return data_.get(); }
  uint64_t bytes() const { return bytes_; }

  // Packs rows of `source` on all threads of the pool. Memory comes from `arena` when one is given.
  static PackedMatrix Pack(KernelPlan plan, const RowSource& source, ThreadPool& pool,
                           Arena* arena = nullptr, const PackProgress& progress = {});

  // Memory for a tensor whose packed bytes come from elsewhere (the cache on disk): the caller
  // fills mutable_data() before anyone multiplies.
  static PackedMatrix Reserve(KernelPlan plan, Arena* arena = nullptr);
  std::byte* mutable_data() { return data_.get(); }

  // Rows [row_begin, row_end) back as trits, k() bytes a row; row_begin a multiple of
  // layout().n_granule, row_end as well or n().
  void Unpack(int32_t row_begin, int32_t row_end, int8_t* out) const;

 private:
  KernelPlan plan_;
  int32_t n_padded_ = 0, k_padded_ = 0;
  uint64_t bytes_ = 0;
  std::shared_ptr<std::byte> data_;
};

}  // namespace trit
