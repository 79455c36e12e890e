// Is a kernel right? Run before anything is timed: a fast kernel with wrong sums is worth nothing.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/abi/trit_kernel.h"

namespace trit {

// Packs, prepares and multiplies several small problems and compares every sum with the plain one:
// odd N, K and M; a long K (up to min(k_max, 6912)) with activations of +127 and -128 against
// weights that are all +1 or all -1, where an accumulator that is too narrow overflows; random
// ones; cut into slices of one granule; guard bytes around everything the kernel may write.
// "" = right, else a sentence with the first wrong sum. A crash is the caller's to catch: this runs
// in a child process.
std::string CheckKernel(const trit_kernel& kernel, uint64_t seed = 1);

}  // namespace trit
