#include "autotune/stats/change.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "autotune/stats/random.h"
#include "autotune/stats/robust.h"

namespace trit {
namespace {

// Ranks with ties averaged, centred on zero.
std::vector<double> CentredRanks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t i = 0; i < order.size();) {
    size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    const double mean = 0.5 * static_cast<double>(i + end - 1);
    for (size_t j = i; j < end; ++j) {
      ranks[order[j]] = mean - 0.5 * static_cast<double>(values.size() - 1);
    }
    i = end;
  }
  return ranks;
}

struct Split {
  size_t at = 0;
  double score = 0;
};

// The cut with the largest standardised rank sum to its left. Standardising by sqrt(k (n - k))
// lets a short segment win where Pettitt's bare sum favours the middle.
Split BestSplit(const std::vector<double>& ranks, size_t min_segment) {
  Split best;
  const auto n = static_cast<double>(ranks.size());
  double sum = 0;
  for (size_t i = 0; i + 1 < ranks.size(); ++i) {
    sum += ranks[i];
    const size_t left = i + 1;
    if (left < min_segment || ranks.size() - left < min_segment) continue;
    const auto k = static_cast<double>(left);
    const double score = std::fabs(sum) / std::sqrt(k * (n - k));
    if (score > best.score) best = {left, score};
  }
  return best;
}

void Segment(std::span<const double> series, size_t begin, size_t end, double alpha,
             double min_change, size_t min_segment, Random* random,
             std::vector<ChangePoint>* found) {
  const size_t length = end - begin;
  if (length < 2 * min_segment) return;
  const auto part = series.subspan(begin, length);
  std::vector<double> ranks = CentredRanks(part);
  const Split split = BestSplit(ranks, min_segment);
  if (split.at == 0) return;
  constexpr int kPermutations = 999;
  int as_extreme = 1;
  for (int i = 0; i < kPermutations; ++i) {
    random->Shuffle(&ranks);
    as_extreme += BestSplit(ranks, min_segment).score >= split.score;
  }
  const double p = as_extreme / (kPermutations + 1.0);
  if (p > alpha) return;
  const double before = Median(part.subspan(0, split.at));
  const double after = Median(part.subspan(split.at));
  const size_t at = begin + split.at;
  Segment(series, begin, at, alpha, min_change, min_segment, random, found);
  if (std::fabs(after - before) >= min_change * std::fabs(before)) {
    found->push_back({static_cast<int>(at), before, after, p});
  }
  Segment(series, at, end, alpha, min_change, min_segment, random, found);
}

}  // namespace

Trend FindTrend(std::span<const double> series) {
  Trend out;
  const size_t n = series.size();
  if (n < 4) return out;
  double s = 0;
  std::vector<double> slopes;
  slopes.reserve(n * (n - 1) / 2);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i + 1; j < n; ++j) {
      const double change = series[j] - series[i];
      s += (change > 0) - (change < 0);
      slopes.push_back(change / static_cast<double>(j - i));
    }
  }
  const auto count = static_cast<double>(n);
  double variance = count * (count - 1) * (2 * count + 5);
  std::vector<double> sorted(series.begin(), series.end());
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < n;) {
    size_t end = i;
    while (end < n && sorted[end] == sorted[i]) ++end;
    const auto t = static_cast<double>(end - i);
    variance -= t * (t - 1) * (2 * t + 5);
    i = end;
  }
  variance /= 18;
  const double centre = Median(series);
  if (centre != 0) out.slope = Median(slopes) / centre;
  if (variance <= 0 || s == 0) return out;
  const double z = (std::fabs(s) - 1) / std::sqrt(variance);
  out.p = std::erfc(z / std::sqrt(2.0));
  return out;
}

std::vector<bool> DisturbedRounds(std::span<const double> reference, double tolerance) {
  std::vector<bool> disturbed(reference.size(), false);
  if (reference.size() < 3) return disturbed;
  const double calm = Quantile(reference, 0.25);  // the middle of the faster half
  for (size_t i = 0; i < reference.size(); ++i) {
    disturbed[i] = std::fabs(reference[i] - calm) > tolerance * calm;
  }
  return disturbed;
}

std::vector<ChangePoint> FindChangePoints(std::span<const double> series, double alpha,
                                          double min_change, int min_segment, uint64_t seed) {
  std::vector<ChangePoint> found;
  Random random(seed);
  Segment(series, 0, series.size(), alpha, min_change,
          static_cast<size_t>(std::max(1, min_segment)), &random, &found);
  // Segmentation is greedy: the levels are taken again once all cuts are known.
  for (size_t i = 0; i < found.size(); ++i) {
    const int begin = i == 0 ? 0 : found[i - 1].at;
    const int end = i + 1 == found.size() ? static_cast<int>(series.size()) : found[i + 1].at;
    const auto left = static_cast<size_t>(found[i].at - begin);
    const auto right = static_cast<size_t>(end - found[i].at);
    found[i].before = Median(series.subspan(static_cast<size_t>(begin), left));
    found[i].after = Median(series.subspan(static_cast<size_t>(found[i].at), right));
  }
  return found;
}

}  // namespace trit
