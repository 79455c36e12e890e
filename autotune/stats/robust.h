// Centre and spread of timings. Timings have a hard floor and a long upper tail (interrupts, other
// guests of the machine), so everything here is built on ranks: half of the samples may be
// arbitrarily wrong before a median is.
#pragma once

#include <span>

namespace trit {

// q-quantile by linear interpolation between order statistics, q in [0, 1].
// Throws Error when there is no sample, or one that is not a number.
double Quantile(std::span<const double> samples, double q);

double Median(std::span<const double> samples);

// Median absolute deviation from the median, times 1.4826: estimates the standard deviation when
// the samples are normal. 0 for a single sample.
double Spread(std::span<const double> samples);

struct Summary {
  int count = 0;
  double median = 0;
  double spread = 0;
  double fastest = 0;
  double slowest = 0;
};
Summary Summarise(std::span<const double> samples);

}  // namespace trit
