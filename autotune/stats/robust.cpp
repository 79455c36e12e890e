#include "autotune/stats/robust.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "targets/base/error.h"

namespace trit {
namespace {

std::vector<double> Sorted(std::span<const double> samples) {
  if (samples.empty()) throw Error("A median of no samples was asked for.");
  std::vector<double> sorted(samples.begin(), samples.end());
  for (double x : sorted) {
    if (std::isnan(x)) throw Error("A sample is not a number.");
  }
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

double QuantileOfSorted(const std::vector<double>& sorted, double q) {
  const double at = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double part = at - static_cast<double>(below);
  // Neither zero times infinity nor infinity minus infinity is a number.
  if (part == 0 || sorted[below] == sorted[above]) return sorted[below];
  return sorted[below] + part * (sorted[above] - sorted[below]);
}

}  // namespace

double Quantile(std::span<const double> samples, double q) {
  return QuantileOfSorted(Sorted(samples), q);
}

double Median(std::span<const double> samples) {
  return Quantile(samples, 0.5);
}

double Spread(std::span<const double> samples) {
  const double centre = Median(samples);
  std::vector<double> distance;
  distance.reserve(samples.size());
  for (double x : samples) distance.push_back(std::fabs(x - centre));
  return 1.4826 * Median(distance);
}

Summary Summarise(std::span<const double> samples) {
  const std::vector<double> sorted = Sorted(samples);
  Summary out;
  out.count = static_cast<int>(sorted.size());
  out.median = QuantileOfSorted(sorted, 0.5);
  out.spread = Spread(samples);
  out.fastest = sorted.front();
  out.slowest = sorted.back();
  return out;
}

}  // namespace trit
