#include "autotune/search/process.h"

#include <algorithm>
#include <cmath>

#include "autotune/stats/robust.h"

namespace trit {
namespace {

constexpr double kLengths[] = {0.2, 0.5, 1.0, 2.5, 8.0};
constexpr double kNoises[] = {0.003, 0.02, 0.1};
constexpr double kAdditive[] = {0.2, 0.5, 0.8};

}  // namespace

SearchProcess::SearchProcess(const SearchSpace& space)
    : space_(space), lengths_(space.axes().size(), 1.0) {}

void SearchProcess::MakeTables() {
  tables_.resize(space_.axes().size());
  for (size_t a = 0; a < tables_.size(); ++a) {
    const SearchAxis& axis = space_.axes()[a];
    tables_[a].assign(static_cast<size_t>(axis.values) + 1, std::exp(-1.0 / lengths_[a]));
    tables_[a][0] = 1;
    for (int d = 1; axis.ordered && d < axis.values; ++d) {
      tables_[a][static_cast<size_t>(d)] = std::exp(-d / (axis.values - 1.0) / lengths_[a]);
    }
  }
}

double SearchProcess::Kernel(int x, int y) const {
  const std::vector<int>& at = space_.points()[static_cast<size_t>(x)].at;
  const std::vector<int>& bt = space_.points()[static_cast<size_t>(y)].at;
  double sum = 0, product = 1;
  for (size_t a = 0; a < at.size(); ++a) {
    const bool absent = (at[a] == kAbsent) != (bt[a] == kAbsent);
    const double k =
        absent ? tables_[a].back() : tables_[a][static_cast<size_t>(std::abs(at[a] - bt[a]))];
    sum += k;
    product *= k;
  }
  const double mean = at.empty() ? 1.0 : sum / static_cast<double>(at.size());
  return additive_ * mean + (1 - additive_) * product;
}

double SearchProcess::Mean(int point) const {
  const double prior = space_.points()[static_cast<size_t>(point)].prior_ns;
  return intercept_ + (prior > 0 ? slope_ * std::log(prior) : 0.0);
}

// Theil-Sen's slope of log time on log prior: a few points that the cost model misjudges do not
// turn it. Clamped, because a negative slope would mean that the cost model is worse than nothing.
void SearchProcess::FitMean() {
  std::vector<double> slopes, residuals;
  const auto prior = [&](const Sample& s) {
    return space_.points()[static_cast<size_t>(s.point)].prior_ns;
  };
  for (size_t i = 0; i < samples_.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const double a = prior(samples_[i]), b = prior(samples_[j]);
      if (a <= 0 || b <= 0 || std::fabs(std::log(a / b)) < 1e-3) continue;
      slopes.push_back((samples_[i].log_ns - samples_[j].log_ns) / std::log(a / b));
    }
  }
  slope_ = slopes.size() < 6 ? 1.0 : std::clamp(Median(slopes), 0.0, 1.0);
  intercept_ = 0;
  for (const Sample& s : samples_) residuals.push_back(s.log_ns - Mean(s.point));
  intercept_ = Median(residuals);
}

// values = L^-1 values
void SearchProcess::Solve(std::vector<double>* values) const {
  const size_t n = values->size();
  double* x = values->data();
  for (size_t j = 0; j < n; ++j) {
    const double* column = &factor_[j * n];
    const double solved = x[j] /= column[j];
    for (size_t i = j + 1; i < n; ++i) x[i] -= solved * column[i];
  }
}

double SearchProcess::Factorise() {
  MakeTables();
  const size_t n = samples_.size();
  factor_.assign(n * n, 0.0);
  for (size_t j = 0; j < n; ++j) {
    for (size_t i = j; i < n; ++i) {
      factor_[j * n + i] = Kernel(samples_[i].point, samples_[j].point) + (i == j ? noise_ : 0.0);
    }
  }
  // By columns, so that the inner loops are sums of vectors: six times faster than by dot products,
  // which may not be reordered.
  for (size_t j = 0; j < n; ++j) {
    double* column = &factor_[j * n];
    for (size_t k = 0; k < j; ++k) {
      const double* earlier = &factor_[k * n];
      const double weight = earlier[j];
      for (size_t i = j; i < n; ++i) column[i] -= weight * earlier[i];
    }
    // Two equal points differ by the noise alone; rounding must not make the root negative.
    const double diagonal = std::sqrt(std::max(column[j], 1e-9));
    column[j] = diagonal;
    for (size_t i = j + 1; i < n; ++i) column[i] /= diagonal;
  }
  alpha_.resize(n);
  double quadratic = 0, log_determinant = 0;
  for (size_t i = 0; i < n; ++i) {
    alpha_[i] = samples_[i].log_ns - Mean(samples_[i].point);
  }
  Solve(&alpha_);
  for (size_t i = 0; i < n; ++i) {
    quadratic += alpha_[i] * alpha_[i];
    log_determinant += std::log(factor_[i * n + i]);
  }
  for (size_t i = n; i-- > 0;) {
    double sum = alpha_[i];
    for (size_t k = i + 1; k < n; ++k) sum -= factor_[i * n + k] * alpha_[k];
    alpha_[i] = sum / factor_[i * n + i];
  }
  // The scale of g has a closed form; what is left is the profile likelihood.
  scale2_ = std::max(quadratic / static_cast<double>(std::max<size_t>(n, 1)), 1e-8);
  return -0.5 * static_cast<double>(n) * std::log(scale2_) - log_determinant;
}

void SearchProcess::Fit(std::vector<Sample> samples, bool tune) {
  samples_ = std::move(samples);
  FitMean();
  double best = Factorise();
  if (!tune || samples_.size() < 6) return;
  const auto improve = [&](double* value, std::span<const double> choices) {
    double kept = *value;
    for (double choice : choices) {
      if (choice == kept) continue;
      *value = choice;
      const double likelihood = Factorise();
      if (likelihood > best + 1e-9) {
        best = likelihood;
        kept = choice;
      }
    }
    *value = kept;
  };
  for (double& length : lengths_) improve(&length, kLengths);
  improve(&noise_, kNoises);
  improve(&additive_, kAdditive);
  Factorise();
}

std::vector<double> SearchProcess::Row(int point, double* mean) const {
  const size_t n = samples_.size();
  std::vector<double> row(n);
  *mean = Mean(point);
  for (size_t i = 0; i < n; ++i) {
    row[i] = Kernel(point, samples_[i].point);
    *mean += row[i] * alpha_[i];
  }
  Solve(&row);
  return row;
}

SearchProcess::Prediction SearchProcess::Predict(int point) const {
  Prediction out;
  double variance = 1;
  for (double x : Row(point, &out.mean)) variance -= x * x;
  out.deviation = std::sqrt(std::max(scale2_ * variance, 1e-12));
  return out;
}

void SearchProcess::SetPool(std::span<const int> points) {
  pool_.clear();
  for (int point : points) {
    PoolPoint p{point, 0, 1, {}};
    p.row = Row(point, &p.mean);
    for (double x : p.row) p.variance -= x * x;
    pool_.push_back(std::move(p));
  }
}

SearchProcess::Prediction SearchProcess::PoolPrediction(size_t i) const {
  return {pool_[i].mean, std::sqrt(std::max(scale2_ * pool_[i].variance, 1e-12))};
}

void SearchProcess::Believe(size_t i) {
  const PoolPoint believed = pool_[i];
  // One more line of the Cholesky factor: its row is believed.row and this diagonal.
  const double diagonal = std::sqrt(std::max(believed.variance + noise_, 1e-9));
  for (PoolPoint& p : pool_) {
    double sum = Kernel(p.point, believed.point);
    for (size_t j = 0; j < believed.row.size(); ++j) sum -= believed.row[j] * p.row[j];
    p.row.push_back(sum / diagonal);
    p.variance -= p.row.back() * p.row.back();
  }
}

}  // namespace trit
