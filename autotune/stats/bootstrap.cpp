#include "autotune/stats/bootstrap.h"

#include <algorithm>
#include <vector>

#include "autotune/stats/random.h"
#include "autotune/stats/robust.h"
#include "targets/base/error.h"

namespace trit {
namespace {

// Median of a resample of `samples`, into a buffer that is reused. nth_element instead of a sort:
// the bootstrap of 30 samples x 2000 then takes about a millisecond.
double ResampledMedian(std::span<const double> samples, Random* random,
                       std::vector<double>* buffer) {
  buffer->resize(samples.size());
  for (double& x : *buffer) x = samples[random->Below(samples.size())];
  const size_t middle = buffer->size() / 2;
  std::nth_element(buffer->begin(), buffer->begin() + static_cast<ptrdiff_t>(middle),
                   buffer->end());
  const double upper = (*buffer)[middle];
  if (buffer->size() % 2 == 1) return upper;
  const double lower =
      *std::max_element(buffer->begin(), buffer->begin() + static_cast<ptrdiff_t>(middle));
  return 0.5 * (lower + upper);
}

Interval Percentiles(double centre, const std::vector<double>& ratios, double level) {
  Interval out;
  out.centre = centre;
  out.low = Quantile(ratios, (1 - level) / 2);
  out.high = Quantile(ratios, (1 + level) / 2);
  return out;
}

}  // namespace

Interval RatioOfMedians(std::span<const double> a, std::span<const double> b, double level,
                        int resamples, uint64_t seed) {
  const double denominator = Median(b);
  if (denominator == 0) throw Error("A ratio to a median of zero was asked for.");
  const double centre = Median(a) / denominator;
  Random random(seed);
  std::vector<double> buffer, ratios;
  ratios.reserve(static_cast<size_t>(resamples));
  for (int i = 0; i < resamples; ++i) {
    const double top = ResampledMedian(a, &random, &buffer);
    const double bottom = ResampledMedian(b, &random, &buffer);
    if (bottom != 0) ratios.push_back(top / bottom);
  }
  return Percentiles(centre, ratios, level);
}

Interval MedianOfRatios(std::span<const double> a, std::span<const double> b, double level,
                        int resamples, uint64_t seed) {
  if (a.size() != b.size()) {
    throw Error(Join("Paired samples come in pairs: ", a.size(), " against ", b.size(), "."));
  }
  std::vector<double> each;
  for (size_t i = 0; i < a.size(); ++i) {
    if (b[i] == 0) throw Error("A ratio to a sample of zero was asked for.");
    each.push_back(a[i] / b[i]);
  }
  const double centre = Median(each);
  Random random(seed);
  std::vector<double> buffer, medians;
  for (int i = 0; i < resamples; ++i) medians.push_back(ResampledMedian(each, &random, &buffer));
  return Percentiles(centre, medians, level);
}

Interval MedianOfRatios(std::span<const double> a, std::span<const double> b,
                        std::span<const int> group, double level, int resamples, uint64_t seed) {
  if (a.size() != b.size() || a.size() != group.size()) {
    throw Error(Join("Paired samples come in pairs with a group each: ", a.size(), ", ", b.size(),
                     " and ", group.size(), "."));
  }
  std::vector<double> each;
  std::vector<std::vector<double>> groups;
  for (size_t i = 0; i < a.size(); ++i) {
    if (b[i] == 0) throw Error("A ratio to a sample of zero was asked for.");
    each.push_back(a[i] / b[i]);
    if (i == 0 || group[i] != group[i - 1]) groups.emplace_back();
    groups.back().push_back(each.back());
  }
  const double centre = Median(each);
  Random random(seed);
  std::vector<double> buffer, medians;
  for (int i = 0; i < resamples; ++i) {
    buffer.clear();
    for (size_t g = 0; g < groups.size(); ++g) {
      const std::vector<double>& chosen = groups[random.Below(groups.size())];
      for (size_t j = 0; j < chosen.size(); ++j)
        buffer.push_back(chosen[random.Below(chosen.size())]);
    }
    medians.push_back(Median(buffer));
  }
  return Percentiles(centre, medians, level);
}

}  // namespace trit
