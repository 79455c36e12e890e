#include "autotune/stats/mann_whitney.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "targets/base/error.h"

namespace trit {
namespace {

// P(U <= u) under the null hypothesis, by the recurrence
//   count(m, n, u) = count(m-1, n, u-n) + count(m, n-1, u),
// whose last step asks whether the largest of all samples is an a or a b. Doubles carry
// probabilities, not counts, so that 50 x 50 does not overflow.
std::vector<double> NullDistribution(int m, int n) {
  const int most = m * n;
  std::vector<std::vector<double>> row(n + 1);  // row[j] = distribution for (i, j)
  for (int j = 0; j <= n; ++j) row[j].assign(most + 1, 0.0), row[j][0] = 1.0;
  for (int i = 1; i <= m; ++i) {
    std::vector<std::vector<double>> next(n + 1);
    next[0].assign(most + 1, 0.0);
    next[0][0] = 1.0;
    for (int j = 1; j <= n; ++j) {
      next[j].assign(most + 1, 0.0);
      const double largest_is_a = static_cast<double>(i) / (i + j);
      for (int u = 0; u <= i * j; ++u) {
        double p = (1 - largest_is_a) * next[j - 1][u];
        if (u >= j) p += largest_is_a * row[j][u - j];
        next[j][u] = p;
      }
    }
    row = std::move(next);
  }
  return row[n];
}

double NormalTail(double z) {
  return 0.5 * std::erfc(z / std::sqrt(2.0));
}  // P(Z >= z)

}  // namespace

UTest MannWhitney(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || b.empty()) throw Error("A U test needs samples on both sides.");
  struct Item {
    double value;
    bool from_a;
  };
  std::vector<Item> all;
  all.reserve(a.size() + b.size());
  for (double x : a) all.push_back({x, true});
  for (double x : b) all.push_back({x, false});
  for (const Item& item : all) {
    if (std::isnan(item.value)) throw Error("A sample is not a number.");
  }
  std::sort(all.begin(), all.end(), [](const Item& x, const Item& y) { return x.value < y.value; });

  const auto na = static_cast<double>(a.size());
  const auto nb = static_cast<double>(b.size());
  const double total = na + nb;
  double rank_sum_a = 0, tie_term = 0;
  for (size_t i = 0; i < all.size();) {
    size_t end = i;
    while (end < all.size() && all[end].value == all[i].value) ++end;
    const double rank = 0.5 * static_cast<double>(i + 1 + end);  // mean rank of the tied group
    for (size_t j = i; j < end; ++j) rank_sum_a += all[j].from_a ? rank : 0;
    const auto t = static_cast<double>(end - i);
    tie_term += t * t * t - t;
    i = end;
  }
  UTest out;
  out.u = rank_sum_a - na * (na + 1) / 2;
  out.effect = out.u / (na * nb);
  if (tie_term == 0 && na * nb <= 2500) {
    const std::vector<double> p =
        NullDistribution(static_cast<int>(a.size()), static_cast<int>(b.size()));
    const auto u = static_cast<size_t>(std::lround(out.u));
    double up_to = 0, from = 0;
    for (size_t i = 0; i < p.size(); ++i) (i <= u ? up_to : from) += p[i];
    out.p_a_less = std::min(1.0, up_to);
    out.p_a_greater = std::min(1.0, from + p[u]);
    out.exact = true;
  } else {
    const double mean = na * nb / 2;
    const double variance = na * nb / 12 * (total + 1 - tie_term / (total * (total - 1)));
    if (variance <= 0) return out;  // every sample is the same
    const double sigma = std::sqrt(variance);
    out.p_a_less = NormalTail((mean - out.u - 0.5) / sigma);
    out.p_a_greater = NormalTail((out.u - mean - 0.5) / sigma);
  }
  out.p_two_sided = std::min(1.0, 2 * std::min(out.p_a_less, out.p_a_greater));
  return out;
}

}  // namespace trit
