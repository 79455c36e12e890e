// The instruction-selection pass: table lookups that Halide would turn into gathers, and other
// shapes it has no instruction for, become calls of the target's micro-ops
// (targets/<key>/micro_ops.ll).
#pragma once

#include <Halide.h>

#include <string>
#include <vector>

#include "targets/target.h"

namespace trit {

struct SelectionReport {
  int hits = 0;                     // micro-ops put in
  std::vector<std::string> misses;  // vector gathers that stayed: each fails the kernel's build
};

// The statement with micro-ops put in.
Halide::Internal::Stmt Select(const Halide::Internal::Stmt& stmt, const Target& target,
                              SelectionReport* report);

}  // namespace trit
