#include "autotune/search/cost_model.h"

#include <algorithm>

namespace trit {

double PriorNs(const KernelCost& cost, const MachineRates& rates) {
  const double memory = rates.bytes_per_s > 0 ? cost.stream_bytes / rates.bytes_per_s : 0;
  double compute = 0;
  if (rates.vector_ops_per_s > 0) {
    double slowdown = 0.25;  // a load from L1 costs a quarter of an instruction slot
    if (cost.hot_bytes > static_cast<double>(rates.l1_bytes)) slowdown = 1;
    if (cost.hot_bytes > static_cast<double>(rates.l2_bytes)) slowdown = 4;
    constexpr double kVectorBytes = 64;
    compute = (cost.vector_instructions + slowdown * cost.hot_reads / kVectorBytes) /
              rates.vector_ops_per_s;
  }
  return 1e9 * (std::max(memory, compute) + 0.1 * std::min(memory, compute));
}

}  // namespace trit
