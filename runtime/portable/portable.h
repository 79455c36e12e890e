// The reference kernels: plain C++ for any CPU, behind the same ABI as every other kernel.
//
// PortableLibrary() is a library of its own: the layout "trits-n1k1.v1" (one int8 a weight), the
// activation form "plain-rows.v1" (int8 rows, one behind the other) and one kernel for any shape.
// It is the last in dispatch order, so that a CPU with nothing special runs everything.
//
// PortableKernel() makes a kernel for a tensor that lies in any other layout: it unpacks one
// granule of rows through the layout's own `unpack` and multiplies. That is how a tensor stays
// usable whatever packed it; its scratch is n_granule * k bytes, hence one kernel a (layout, k).
#pragma once

#include "runtime/abi/trit_kernel.h"

namespace trit {

const trit_library* PortableLibrary();

// The kernel's `layout` points to the given one, which must outlive it. `k_padded` is the K of the
// tensors it will be called for.
trit_kernel PortableKernel(const trit_layout& layout, int32_t k_padded);

}  // namespace trit
