#include "autotune/stats/signed_rank.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "autotune/stats/robust.h"
#include "targets/base/error.h"

namespace trit {

double SignedRankP(std::span<const double> values) {
  std::vector<double> v;
  for (double x : values) {
    if (x != 0 && !std::isnan(x)) v.push_back(x);
  }
  const size_t n = v.size();
  if (n == 0) return 1;
  std::sort(v.begin(), v.end(), [](double a, double b) { return std::fabs(a) < std::fabs(b); });
  double positive = 0, tie_term = 0;
  for (size_t i = 0; i < n;) {
    size_t end = i;
    while (end < n && std::fabs(v[end]) == std::fabs(v[i])) ++end;
    const double rank = 0.5 * static_cast<double>(i + 1 + end);
    for (size_t j = i; j < end; ++j) positive += v[j] > 0 ? rank : 0;
    const auto t = static_cast<double>(end - i);
    tie_term += t * t * t - t;
    i = end;
  }
  const auto count = static_cast<double>(n);
  const double most = count * (count + 1) / 2;
  const double smaller = std::min(positive, most - positive);
  if (tie_term == 0 && n <= 40) {
    // probability[s] = share of sign patterns whose positive ranks sum up to s.
    std::vector<double> probability(static_cast<size_t>(most) + 1, 0.0);
    probability[0] = 1;
    for (size_t rank = 1; rank <= n; ++rank) {
      for (size_t s = probability.size(); s-- > 0;) {
        probability[s] = 0.5 * (probability[s] + (s >= rank ? probability[s - rank] : 0));
      }
    }
    double tail = 0;
    for (size_t s = 0; s <= static_cast<size_t>(smaller); ++s) tail += probability[s];
    return std::min(1.0, 2 * tail);
  }
  const double variance = count * (count + 1) * (2 * count + 1) / 24 - tie_term / 48;
  if (variance <= 0) return 1;
  const double z = (most / 2 - smaller - 0.5) / std::sqrt(variance);
  return std::min(1.0, std::erfc(z / std::sqrt(2.0)));
}

double PairedP(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) {
    throw Error(Join("A paired test got ", a.size(), " and ", b.size(), " samples."));
  }
  if (a.empty()) return 1;
  std::vector<double> log_ratio;
  for (size_t i = 0; i < a.size(); ++i) log_ratio.push_back(std::log(a[i] / b[i]));
  const double centre = Median(log_ratio), reach = 6 * Spread(log_ratio);
  std::erase_if(log_ratio, [&](double x) { return std::fabs(x - centre) > reach; });
  return SignedRankP(log_ratio);
}

}  // namespace trit
