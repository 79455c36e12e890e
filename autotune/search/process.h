// A Gaussian process over search points: predicts the logarithm of a point's time, with how unsure
// it is, from the points measured so far.
//
//   log ns = a + b * log prior + g(x) + noise,    b in [0, 1]
//   cov(g(x), g(y)) = s^2 * (w * mean over axes of k_a + (1 - w) * product over axes of k_a)
//   k_a = exp(-d / l_a), d = distance on an ordered axis as a share of it, or 1 between two names
// The additive part learns an axis from few points (doubling the unroll helps everywhere), the
// product part learns that some combinations spill registers. Lengths l_a and the noise are chosen
// by marginal likelihood, one coordinate after another over a small grid.
#pragma once

#include <span>
#include <vector>

#include "autotune/search/space.h"

namespace trit {

class SearchProcess {
 public:
  explicit SearchProcess(const SearchSpace& space);

  struct Sample {
    int point;
    double log_ns;
  };
  // `tune` looks for better lengths first (costs some hundred small factorisations).
  void Fit(std::vector<Sample> samples, bool tune);

  struct Prediction {
    double mean = 0;
    double deviation = 1;
  };
  Prediction Predict(int point) const;

  // The same for a pool of points, kept up to date cheaply while a batch is chosen: Believe(i)
  // takes pool point i as measured at its predicted value. That leaves every mean as it is and
  // makes the process surer nearby, so that the next proposal of the batch looks elsewhere.
  void SetPool(std::span<const int> points);
  Prediction PoolPrediction(size_t i) const;
  void Believe(size_t i);

 private:
  void MakeTables();
  double Kernel(int x, int y) const;
  double Mean(int point) const;
  double Factorise();  // returns the log marginal likelihood (up to a constant)
  void FitMean();
  void Solve(std::vector<double>* values) const;
  std::vector<double> Row(int point, double* mean) const;

  const SearchSpace& space_;
  std::vector<Sample> samples_;
  std::vector<double> lengths_;
  double noise_ = 0.02;    // relative to the scale of g
  double additive_ = 0.5;  // w
  double intercept_ = 0, slope_ = 0, scale2_ = 1;
  std::vector<double> factor_;  // lower Cholesky factor, column by column
  std::vector<double> alpha_;   // (K + noise)^-1 residuals
  // k_a by distance, an axis after another: [d] for coordinates d steps apart, the last entry for
  // two names or an absent coordinate. Without it nine tenths of the time went into exp().
  std::vector<std::vector<double>> tables_;

  struct PoolPoint {
    int point;
    double mean;
    double variance;          // of g, relative to scale2_
    std::vector<double> row;  // L^-1 k(point, samples and beliefs)
  };
  std::vector<PoolPoint> pool_;
};

}  // namespace trit
