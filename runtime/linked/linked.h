// The kernel libraries linked into this program: the baseline set of a toolkit build, none in a
// runtime-only build. The portable library is not among them; every KernelSet has it.
#pragma once

#include <vector>

#include "runtime/abi/trit_kernel.h"

namespace trit {

std::vector<trit_library_fn> LinkedLibraries();

}  // namespace trit
