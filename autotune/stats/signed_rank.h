// Wilcoxon's signed-rank test: the paired sibling of the U test. Blocks of A B B A give pairs, and
// what slowed a block down cancels in its ratio.
#pragma once

#include <span>

namespace trit {

// Two-sided p of "the values are symmetric around 0" (give logarithms of ratios). Zeros are
// dropped; exact without ties up to 40 values, else the normal approximation with tie correction.
double SignedRankP(std::span<const double> values);

}  // namespace trit
