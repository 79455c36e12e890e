// The gate for kernels: everything a kernel library claims, tried. It takes ANY library, linked or
// loaded from a file, and holds every layout, activation form and kernel in it against the oracle.
//
//   layouts  pack and unpack give the trits back for N and K tails; granules are independent, cover
//            every byte, and touch no other; a padded matrix packs to the same bytes; bad trits,
//            shapes and pointers are refused
//   kernels  sums equal the oracle's for shapes with every tail, M from 1 to 33 and some large,
//            extremes that fill narrow accumulators, long K; cut into slices in any order; nothing
//            outside the slice written; weights and activations never written; all buffers end at
//            unmapped pages
//
// Each layout and kernel runs in a child process by default: a crash or a hang is a fault in the
// report like any other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/abi/trit_kernel.h"
#include "runtime/kernel_library.h"

namespace trit::kit {

struct CheckOptions {
  uint64_t seed = 1;
  int sweep = 1;        // 1 = some seconds for a library; 8 and more = the long sweep
  bool isolate = true;  // a child process for each layout and kernel
  int timeout_s = 120;  // of a child
  std::string only;     // "" = all; else kernels whose name contains this
};

struct CheckReport {
  int layouts = 0, kernels = 0;
  int64_t products = 0;             // matrix products compared with the oracle
  bool ran_kernels = true;          // false: this CPU lacks features, only layouts were checked
  std::vector<std::string> faults;  // sentences; empty = everything holds
  bool ok() const { return faults.empty(); }
};

CheckReport CheckLibrary(const KernelLibrary& library, const CheckOptions& options = {});

// One layout, one kernel (for candidates that are not in a library yet). In this process; a fault
// is appended to the report, at most one a function.
void CheckLayout(const trit_layout& layout, const CheckOptions& options, CheckReport* report);
void CheckKernel(const trit_kernel& kernel, const CheckOptions& options, CheckReport* report);

}  // namespace trit::kit
