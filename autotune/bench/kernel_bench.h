// Times one kernel on one shape.
//
// Weights are cold unless `hot`: copies of the packed tensor, 512 MB together, on huge pages where
// the system grants them, are read one after the other, so that every call streams its weights from
// memory as a decode step does. Hot: one copy, as often as the caches hold it.
//
// A sample is many calls, about `sample_ms` long, cut into slices as the runtime cuts them
// (CutProduct, runtime/matmul.h). With one slice a thread, every thread runs its slice of call
// after call without meeting the others (what a barrier costs is the runtime's to measure); more
// slices are handed out to whoever is free, with a barrier after each call, because without one the
// threads would help each other across calls, which the runtime cannot do. A sample's time is the
// wall time from start to the last thread's end, divided by the calls. Activations are prepared
// once outside; prepare_ns says what that costs for one call on one thread. Tables that a kernel
// builds inside are inside the time. Before anything is timed, sums of sampled rows are compared
// with the plain sum; a difference throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/abi/trit_kernel.h"
#include "runtime/thread_pool.h"

namespace trit {

struct BenchCase {
  const trit_kernel* kernel = nullptr;
  int32_t n = 0, k = 0, m = 1;
  bool hot = false;
  int32_t n_per_task = 0, m_per_task = 0;  // as in trit_choice
  double sample_ms = 25;
  uint64_t cold_bytes = uint64_t{512} << 20;
};

struct BenchSummary {
  double median_ns = 0;  // of a call
  double spread = 0;     // interquartile range over median
  double prepare_ns = 0;
  uint64_t packed_bytes = 0;
  std::vector<double> samples_ns;
};

class KernelBench {
 public:
  // Packs, prepares, checks. Throws trit::Error naming the kernel and what went wrong. The pool
  // outlives this.
  KernelBench(const BenchCase& bench_case, ThreadPool& pool);
  ~KernelBench();
  KernelBench(const KernelBench&) = delete;
  KernelBench& operator=(const KernelBench&) = delete;

  void Sample();  // takes one
  // Other slices from the next sample on; the packed weights stay as they are.
  void Slice(int32_t n_per_task, int32_t m_per_task);
  BenchSummary Summary() const;

  // The weights' memory, for measuring the read roof beside the kernel.
  std::span<const std::byte> memory() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trit
