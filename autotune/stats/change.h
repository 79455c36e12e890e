// Time in the data: did the machine change speed while it was measured (drift), and where does a
// history of results step (change points)?
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace trit {

// Mann-Kendall trend test on samples in the order they were taken, and Theil-Sen's slope.
struct Trend {
  double p = 1;      // two-sided: "there is no trend"
  double slope = 0;  // median change a step, relative to the median
};
Trend FindTrend(std::span<const double> series);

// Which rounds were taken while the machine was not itself: the reference kernel's time of a round
// is off the median of its calm neighbourhood by more than `tolerance` (relative). The
// neighbourhood is the fastest half of all rounds: disturbances only ever slow a machine down.
std::vector<bool> DisturbedRounds(std::span<const double> reference, double tolerance);

// A step in a history: `at` is the first index of the new level.
struct ChangePoint {
  int at = 0;
  double before = 0;  // medians of the two levels
  double after = 0;
  double p = 1;
};
// Binary segmentation on ranks (Pettitt's statistic, significance by permutation, so that no
// distribution is assumed). Segments keep at least `min_segment` points; a step smaller than
// `min_change` (relative) is not reported however certain it is. Sorted by position.
std::vector<ChangePoint> FindChangePoints(std::span<const double> series, double alpha = 0.01,
                                          double min_change = 0.02, int min_segment = 4,
                                          uint64_t seed = 1);

}  // namespace trit
