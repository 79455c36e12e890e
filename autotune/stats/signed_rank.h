// Wilcoxon's signed-rank test: the paired sibling of the U test. Blocks of A B B A give pairs, and
// what slowed a block down cancels in its ratio.
#pragma once

#include <span>

namespace trit {

// Two-sided p of "the values are symmetric around 0" (give logarithms of ratios). Zeros are
// dropped; exact without ties up to 40 values, else the normal approximation with tie correction.
double SignedRankP(std::span<const double> values);

// The same for paired timings (a[i] and b[i] of one block): of the logarithms of a[i] / b[i]. A
// block in which something hit one side alone says nothing of the kernels, and its rank would be
// among the highest, so pairs beyond six spreads of the median are left out (one slowed sample in
// ten hid a 5 % step in one of ten series before). Throws Error when the sides differ in length.
double PairedP(std::span<const double> a, std::span<const double> b);

}  // namespace trit
