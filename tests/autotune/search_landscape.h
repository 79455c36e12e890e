// Synthetic candidate spaces that behave like kernels: smooth axes with an optimum in the middle,
// interactions (registers spill when tiles multiply up), cliffs (tables outgrow L1), families with
// axes of their own; measured through noise, outliers and a machine that slows down and recovers.
#pragma once

#include <cmath>
#include <vector>

#include "autotune/search/search.h"
#include "autotune/stats/random.h"
#include "tests/autotune/stats_samples.h"

namespace trit {

struct Landscape {
  SearchSpace space;
  std::vector<double> true_ns;
  double Best() const { return *std::min_element(true_ns.begin(), true_ns.end()); }
};

// Three families over 6 axes, about 1100 points.
inline Landscape KernelLikeLandscape(uint64_t seed) {
  std::vector<SearchAxis> axes{{"family", 3, false}, {"rows", 4, true},     {"tokens", 4, true},
                               {"unroll", 3, true},  {"prefetch", 7, true}, {"k_block", 4, true}};
  Random random(seed);
  const double family_ns[3] = {100 + 8 * random.Uniform(), 90 + 8 * random.Uniform(), 104};
  double shift[3][5];
  for (auto& family : shift) {
    for (double& s : family) s = random.Uniform();
  }
  std::vector<SearchPoint> points;
  std::vector<double> true_ns;
  for (int f = 0; f < 3; ++f) {
    for (int r = 0; r < 4; ++r) {
      for (int t = 0; t < 4; ++t) {
        for (int u = 0; u < 3; ++u) {
          for (int p = 0; p < 7; ++p) {
            for (int b = 0; b < (f == 0 ? 1 : 4); ++b) {
              if ((r + 1) * (t + 1) > 12) continue;  // a rule of the space
              const auto bowl = [&](int v, int n, double centre, double depth) {
                const double x = v / (n - 1.0) - centre;
                return 1 + depth * x * x;
              };
              double ns = family_ns[f];
              ns *= bowl(r, 4, 0.3 + 0.5 * shift[f][0], 0.5);
              ns *= bowl(t, 4, 0.2 + 0.6 * shift[f][1], 0.6);
              ns *= bowl(u, 3, shift[f][2], 0.3);
              ns *= bowl(p, 7, shift[f][3], 0.7);
              if (f > 0) ns *= bowl(b, 4, shift[f][4], 0.4);
              if ((r + 1) * (t + 1) * (u + 1) > 18) ns *= 1.7;  // spills
              if (f > 0 && b == 3 && t >= 2) ns *= 1.35;        // tables leave L1
              // What nobody models: alignment, decoder luck.
              ns *= 1 + 0.03 * random.Uniform();
              const double prior =
                  family_ns[f] * (1 + 0.2 * random.Uniform()) * (f > 0 && b == 3 ? 1.2 : 1.0);
              points.push_back({{f, r, t, u, p, f == 0 ? kAbsent : b}, prior});
              true_ns.push_back(ns);
            }
          }
        }
      }
    }
  }
  return {SearchSpace(axes, points), true_ns};
}

// One family, 640 points, rugged: interactions of neighbouring axes, no prior at all.
inline Landscape RuggedLandscape(uint64_t seed) {
  std::vector<SearchAxis> axes{{"a", 5, true}, {"b", 4, true}, {"c", 4, false}, {"d", 8, true}};
  Random random(seed);
  double ab[5][4], cd[4][8], c_shift[4];
  for (auto& row : ab) {
    for (double& x : row) x = 0.25 * random.Uniform();
  }
  for (double& x : c_shift) x = random.Uniform();
  for (int c = 0; c < 4; ++c) {
    for (int d = 0; d < 8; ++d) {
      const double x = d / 7.0 - c_shift[c];
      cd[c][d] = 0.5 * x * x + 0.06 * random.Uniform() + 0.05 * c;
    }
  }
  std::vector<SearchPoint> points;
  std::vector<double> true_ns;
  for (int a = 0; a < 5; ++a) {
    for (int b = 0; b < 4; ++b) {
      for (int c = 0; c < 4; ++c) {
        for (int d = 0; d < 8; ++d) {
          points.push_back({{a, b, c, d}, 0});
          const double bowl = 0.3 * (a / 4.0 - 0.6) * (a / 4.0 - 0.6);
          true_ns.push_back(200 * (1 + ab[a][b] + cd[c][d] + bowl));
        }
      }
    }
  }
  return {SearchSpace(axes, points), true_ns};
}

struct MachineModel {
  double noise = 0.01;
  double outliers = 0.06;  // share of rounds slowed 1.5x to 4x
  double drift = 0.0;      // the machine's slowest phase, relative
  double roof_ns = 0;      // 0 = no roof is known
};

class SyntheticEvaluator : public Evaluator {
 public:
  SyntheticEvaluator(const Landscape& landscape, const MachineModel& machine, uint64_t seed)
      : landscape_(landscape), machine_(machine), random_(seed) {}

  std::vector<Outcome> Measure(std::span<const Proposal> batch) override {
    std::vector<Outcome> outcomes;
    for (const Proposal& p : batch) {
      Outcome outcome;
      outcome.point = p.point;
      for (int i = 0; i < p.rounds; ++i) {
        // Drift hits candidate and reference alike; the reference carries noise of its own.
        const double slow = 1 + machine_.drift * 0.5 * (1 - std::cos(0.02 * rounds_++));
        const double reference = NoisySample(1000 * slow, machine_.noise / 3, 0, &random_);
        const double ns = NoisySample(landscape_.true_ns[static_cast<size_t>(p.point)] * slow,
                                      machine_.noise, machine_.outliers, &random_);
        outcome.ns.push_back(ns * 1000 / reference);
        if (machine_.roof_ns > 0) {
          outcome.fraction_of_roof =
              std::max(outcome.fraction_of_roof, machine_.roof_ns / outcome.ns.back());
        }
      }
      if (fail && fail(p.point)) outcome = {p.point, {}, true, 0};
      outcomes.push_back(outcome);
    }
    return outcomes;
  }

  std::function<bool(int)> fail;
  int rounds() const { return rounds_; }

 private:
  const Landscape& landscape_;
  MachineModel machine_;
  Random random_;
  int rounds_ = 0;
};

}  // namespace trit
