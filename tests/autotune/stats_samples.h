// Synthetic timings for the tests of statistics and search.
#pragma once

#include <cmath>
#include <vector>

#include "autotune/stats/random.h"

namespace trit {

// Log-normal noise of relative width `noise`; one sample in `1 / outliers` is slowed 1.5x to 4x.
inline double NoisySample(double true_ns, double noise, double outliers, Random* random) {
  double ns = true_ns * std::exp(noise * std::fabs(random->Normal()));
  if (random->Uniform() < outliers) ns *= 1.5 + 2.5 * random->Uniform();
  return ns;
}

inline std::vector<double> NoisySamples(int count, double true_ns, double noise, double outliers,
                                        Random* random) {
  std::vector<double> out;
  for (int i = 0; i < count; ++i) out.push_back(NoisySample(true_ns, noise, outliers, random));
  return out;
}

}  // namespace trit
