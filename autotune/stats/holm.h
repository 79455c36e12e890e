// Many comparisons at once: with 20 workloads and p < 0.05 one false alarm is expected, so p-values
// are adjusted before anybody is told that something changed.
#pragma once

#include <span>
#include <vector>

namespace trit {

// Holm's step-down adjustment, in the order of the input: rejecting where the result is <= alpha
// keeps the chance of any false alarm below alpha, whatever the dependence between the tests.
std::vector<double> HolmAdjust(std::span<const double> p);

}  // namespace trit
