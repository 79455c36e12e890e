// The analytical guess of a kernel's time, good enough to start a search: whichever of memory,
// vector units and cache misses takes longest.
#pragma once

#include <cstdint>

namespace trit {

struct MachineRates {
  double bytes_per_s = 0;       // streaming reads from memory, all threads, measured
  double vector_ops_per_s = 0;  // vector instructions of the kind used, all threads
  int64_t l1_bytes = 32 << 10;
  int64_t l2_bytes = 1 << 20;
};

struct KernelCost {
  double stream_bytes = 0;         // weights and sums, once through memory
  double vector_instructions = 0;  // of the inner loop, whole product
  double hot_bytes = 0;  // tables and activations that the inner loop reads again and again
  double hot_reads = 0;  // bytes the inner loop reads from there
};

// Bytes that outgrow L1 are read at a quarter of the speed, beyond L2 at a sixteenth: the steps of
// every current core, roughly. Memory and computation overlap; the remainder of a tenth of the
// shorter one does not.
double PriorNs(const KernelCost& cost, const MachineRates& rates);

}  // namespace trit
