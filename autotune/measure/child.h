// The measuring child: a process of its own for each candidate, so that a crash, a hang or a wrong
// sum costs only itself. The parent (process.h) talks to it in JSON lines over two pipes:
//
//   {"do":"load","candidate":TEXT}        compile, check against the oracle
//       {"ok":true,"layout":ID,"candidate":TEXT,"compile_ns":T}
//   {"do":"setup","id":I,"m":..,"n":..,"k":..,"threads":..,"mode":"cold","cold_bytes":..,
//    "sample_ms":..}
//       {"ok":true,"bytes":B,"prepare_ns":T}
//   {"do":"sample","id":I,"count":C,"n_per_task":..,"m_per_task":..}      {"ok":true,"ns":[..]}
//       (slices as in trit_choice; without them those of the kernel's own choice row)
//   {"do":"drop","id":I}                  {"ok":true}
//   {"do":"roofs","threads":T}            {"ok":true,"bytes_per_s":..,"ops_per_s":..}
// or {"ok":false,"status":"wrong"|"compile-failed"|"refused","detail":TEXT}. The end of the input
// ends the process.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "runtime/abi/trit_kernel.h"

namespace trit {

// A kernel with whatever keeps it alive, and the slices of the choice row it came from.
struct LoadedKernel {
  std::shared_ptr<const trit_kernel> kernel;
  int32_t n_per_task = 0, m_per_task = 0;
};
// From a candidate's text; throws trit::Error when it does not compile. Tests put planted kernels
// behind this.
using KernelSource = std::function<LoadedKernel(const std::string& candidate)>;

// Serves until the input ends. Returns the exit code.
int ServeMeasurements(const KernelSource& source, int in, int out);

}  // namespace trit
