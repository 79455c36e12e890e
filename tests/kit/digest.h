// One number for all sums a library gives on fixed data: equal for every right library, on every
// machine, whatever its layouts and kernels are.
#pragma once

#include <cstdint>

#include "runtime/kernel_library.h"

namespace trit::kit {

// Products of fixed shapes, token counts and fills (one seed), by the library's kernels in
// turn. Throws trit::Error when a call fails. FNV-1a over the int32 sums.
uint64_t SumsDigest(const KernelLibrary& library);

// The same from the oracle.
uint64_t OracleDigest();

}  // namespace trit::kit
