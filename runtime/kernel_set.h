// Which kernel does a tensor get? The kernel libraries of a process and the dispatch over them.
//
// Order: libraries added from files in the order they were added, then linked ones by the rank of
// their target, then the portable library, which runs everywhere and has a kernel for any layout.
// Libraries that this CPU cannot run are left out (linked ones silently, files with an error).
//
//   ChooseLayout  the layout of the first choice row that matches (n, k, m = 1, threads) in the
//                 first library that has one: decode decides how a tensor lies in memory
//   ChooseKernel  for a tensor in that layout, the first row whose kernel reads it and that
//                 matches (n, k, m, threads); in the end the portable kernel, so never nothing
// A row is passed over when its kernel is not exact for K (k_max).
//
// Forcing: `target` keeps libraries of one target (plus portable as the last resort for M ranges
// that it does not cover), `family` prefers kernels of one family. Asking for what does not exist
// here is an error that lists what does.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/trit_kernel.h"
#include "runtime/kernel_library.h"

namespace trit {

struct KernelSetOptions {
  std::vector<std::string> files = {};       // kernel libraries to open, strongest first
  std::vector<trit_library_fn> linked = {};  // LinkedLibraries() of runtime/linked/linked.h
  std::string target = {};                   // "" = any this CPU can run
  std::string family = {};                   // "" = as the choices say
};

struct KernelChoice {
  const trit_kernel* kernel = nullptr;
  const KernelLibrary* library = nullptr;  // null: made by the runtime for a layout (portable)
  int32_t n_per_task = 0;                  // 0 = one slice a thread
  int32_t m_per_task = 0;                  // 0 = all tokens
  int32_t row = -1;                        // of the library's choices, -1 = none
};

// One tensor's kernels by number of tokens, found once and read often.
class KernelPlan {
 public:
  const trit_layout& layout() const { return *layout_; }
  int32_t n() const { return n_; }
  int32_t k() const { return k_; }
  int threads() const { return threads_; }
  const KernelChoice& For(int32_t m) const;  // m >= 1

 private:
  friend class KernelSet;
  struct Range {
    int32_t m_max;  // inclusive; ascending, the last one is 2^31-1
    KernelChoice choice;
  };
  const trit_layout* layout_ = nullptr;
  int32_t n_ = 0, k_ = 0;
  int threads_ = 1;
  std::vector<Range> ranges_;
  std::shared_ptr<const void> keep_;  // libraries and portable kernels
};

class KernelSet {
 public:
  explicit KernelSet(const KernelSetOptions& options);

  const trit_layout& ChooseLayout(int32_t n, int32_t k, int threads) const;
  // By id, for tensors that are already packed; throws naming the layouts that exist.
  const trit_layout& FindLayout(std::string_view id) const;
  KernelChoice ChooseKernel(const trit_layout& layout, int32_t n, int32_t k, int32_t m,
                            int threads) const;
  // All of ChooseKernel's answers for one tensor.
  KernelPlan Plan(const trit_layout& layout, int32_t n, int32_t k, int threads) const;
  KernelPlan Plan(int32_t n, int32_t k, int threads) const {
    return Plan(ChooseLayout(n, k, threads), n, k, threads);
  }

  // A readable account of both choices: tensor -> layout -> library, row, kernel, candidate.
  std::string Explain(int32_t n, int32_t k, int32_t m, int threads) const;

  // In dispatch order; the last one is the portable library.
  std::span<const std::shared_ptr<const KernelLibrary>> libraries() const;
  // Linked libraries left out, with the reason ("built-in avx512vbmi: this CPU lacks avx512vbmi").
  std::span<const std::string> left_out() const;

  // The largest padding any kernel here asks for: buffers for activations and sums follow it.
  int32_t max_n_granule() const;
  int32_t max_k_multiple() const;
  int32_t max_m_granule() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace trit
