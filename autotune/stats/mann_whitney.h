// Mann-Whitney U: do two sets of samples come from the same distribution, without assuming its
// form? Used for every claim that one kernel is faster than another.
#pragma once

#include <span>

namespace trit {

struct UTest {
  double u = 0;  // pairs (a, b) with a > b, ties counted as half
  double p_two_sided = 1;
  double p_a_less = 1;  // alternative: a tends to be smaller (faster) than b
  double p_a_greater = 1;
  double effect = 0.5;  // P(a > b) + P(a = b) / 2; 0.5 = no difference
  bool exact = false;   // counted, not approximated
};

// Exact by counting where no value occurs twice and |a| * |b| <= 2500; otherwise the normal
// approximation with the tie correction of the variance and a continuity correction.
// All samples equal: p = 1. Throws Error when a side is empty.
UTest MannWhitney(std::span<const double> a, std::span<const double> b);

}  // namespace trit
