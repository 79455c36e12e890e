// An interval for the ratio of two medians: how much faster, and how sure.
#pragma once

#include <cstdint>
#include <span>

namespace trit {

struct Interval {
  double centre = 1;
  double low = 1;
  double high = 1;
  bool Contains(double x) const { return low <= x && x <= high; }
  double HalfWidth() const { return (high - low) / 2; }
};

// median(a) / median(b) with a percentile bootstrap interval at `level` (0.95 = 95 %).
// The same seed gives the same interval. Throws Error when a side is empty or median(b) is 0.
Interval RatioOfMedians(std::span<const double> a, std::span<const double> b, double level = 0.95,
                        int resamples = 2000, uint64_t seed = 1);

// The same for paired samples (a[i] and b[i] taken in the same round): the median of a[i] / b[i],
// so that whatever slowed a whole round down cancels. Needs equally many of both.
Interval MedianOfRatios(std::span<const double> a, std::span<const double> b, double level = 0.95,
                        int resamples = 2000, uint64_t seed = 1);

// The same when pairs come in groups that may differ among themselves (`group[i]`: memory was laid
// out anew for each): groups are resampled first and pairs within them second, so that an effect of
// one group alone widens the interval instead of moving it. Groups are numbered 0, 1, ... in order.
Interval MedianOfRatios(std::span<const double> a, std::span<const double> b,
                        std::span<const int> group, double level, int resamples = 2000,
                        uint64_t seed = 1);

}  // namespace trit
