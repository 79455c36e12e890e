#include <algorithm>
#include <cmath>

#include "autotune/search/process.h"
#include "autotune/search/strategies.h"
#include "autotune/stats/random.h"

namespace trit {
namespace {

// Start: a quarter of the first points where the cost model expects the most, the rest spread at
// random. Then batches where the process expects the largest improvement. The last rounds go to a
// final among the best, because with noise the best of 80 estimates is mostly a lucky one.
class ModelGuided : public Strategy {
 public:
  ModelGuided(const SearchSpace& space, const StrategyOptions& options)
      : space_(space), options_(options), random_(options.seed), process_(space) {}

  std::vector<Proposal> Next(const History& history, int points_left, int rounds_left) override {
    const int rounds = std::max(1, options_.rounds - 1);
    // The final may take a fifth of what there is, as far as it is known at the first call.
    if (reserve_ < 0) {
      reserve_ = std::min(kFinalists * options_.rounds * 2, std::max(0, rounds_left / 5));
    }
    const int count = std::min({options_.batch, points_left, (rounds_left - reserve_) / rounds});
    std::vector<Proposal> batch;
    if (count > 0 && !Converged(history)) {
      const int start = std::clamp(space_.size() / 40, 2 * options_.batch, 4 * options_.batch);
      const auto tried = static_cast<int>(history.tried().size());
      const std::vector<int> points = tried < std::min(start, points_left + tried)
                                          ? StartingPoints(history, count)
                                          : GuidedPoints(history, count);
      for (int point : points) batch.push_back({point, rounds});
    }
    if (!batch.empty()) return batch;
    return FinalRounds(history, kFinalists, options_.rounds * 3);
  }

 private:
  static constexpr int kFinalists = 6;

  // Four batches in a row in which the process itself expects less than half a percent anywhere.
  bool Converged(const History& history) {
    if (static_cast<int>(history.tried().size()) == space_.size()) return true;
    return hopeless_ >= 4;
  }

  std::vector<int> StartingPoints(const History& history, int count) {
    std::vector<int> untried;
    for (int i = 0; i < space_.size(); ++i) {
      if (!history[i].Tried()) untried.push_back(i);
    }
    random_.Shuffle(&untried);
    const int guessed = (count + 3) / 4;
    std::vector<int> out;
    std::vector<int> by_prior = untried;
    std::erase_if(by_prior, [&](int p) { return Prior(p) <= 0; });
    std::stable_sort(by_prior.begin(), by_prior.end(),
                     [&](int a, int b) { return Prior(a) < Prior(b); });
    for (int i = 0; i < guessed && i < static_cast<int>(by_prior.size()); ++i) {
      out.push_back(by_prior[static_cast<size_t>(i)]);
    }
    for (int point : untried) {
      if (static_cast<int>(out.size()) >= count) break;
      if (std::find(out.begin(), out.end(), point) == out.end()) out.push_back(point);
    }
    return out;
  }

  double Prior(int point) const { return space_.points()[static_cast<size_t>(point)].prior_ns; }

  std::vector<int> GuidedPoints(const History& history, int count) {
    std::vector<SearchProcess::Sample> samples;
    for (int point : history.Ranking()) {
      // Far from the best the exact value does not matter, only that it is bad: cutting at 3x keeps
      // outliers from stretching the scale that the good points are told apart on.
      const double cut = 3 * history[history.Best()].estimate;
      samples.push_back({point, std::log(std::min(history[point].estimate, cut))});
    }
    if (samples.empty()) return StartingPoints(history, count);
    // Failures are walls: as bad as the cut, so that the process keeps away from their like.
    for (int point : history.tried()) {
      if (history[point].failed) {
        samples.push_back({point, std::log(3 * history[history.Best()].estimate)});
      }
    }
    if (samples.size() > kMostSamples) samples.resize(kMostSamples);  // the fastest ones
    // Lengths are looked for again when a third more is known: they settle early, and looking costs
    // thirty factorisations.
    const bool tune = samples.size() >= tuned_at_ + tuned_at_ / 3;
    if (tune) tuned_at_ = samples.size();
    process_.Fit(samples, tune);

    const std::vector<int> pool = Pool(history);
    process_.SetPool(pool);
    std::vector<bool> taken(pool.size(), false);
    std::vector<int> out;
    const double best = std::log(history[history.Best()].estimate);
    double hope = 0;
    while (static_cast<int>(out.size()) < std::min(count, static_cast<int>(pool.size()))) {
      // Alternately greedy and bold.
      const double boldness = out.size() % 2 == 0 ? 0.5 : 2.0;
      size_t chosen = 0;
      double lowest = 1e300;
      for (size_t i = 0; i < pool.size(); ++i) {
        if (taken[i]) continue;
        const auto p = process_.PoolPrediction(i);
        const double bound = p.mean - boldness * p.deviation;
        if (bound < lowest) lowest = bound, chosen = i;
        if (out.empty()) hope = std::max(hope, best - (p.mean - 2 * p.deviation));
      }
      taken[chosen] = true;
      out.push_back(pool[chosen]);
      if (static_cast<int>(out.size()) < count) process_.Believe(chosen);
    }
    hopeless_ = hope < 0.005 ? hopeless_ + 1 : 0;
    return out;
  }

  // All untried points of a small space; of a large one the neighbourhood of the ten best and a
  // random sample, so that a batch costs milliseconds.
  std::vector<int> Pool(const History& history) {
    std::vector<bool> in(static_cast<size_t>(space_.size()), space_.size() <= kMostPredicted);
    if (space_.size() > kMostPredicted) {
      const std::vector<int> ranking = history.Ranking();
      for (size_t i = 0; i < ranking.size() && i < 10; ++i) {
        for (int near : space_.Neighbours(ranking[i])) in[static_cast<size_t>(near)] = true;
      }
      for (int i = 0; i < kMostPredicted; ++i) {
        in[random_.Below(static_cast<size_t>(space_.size()))] = true;
      }
    }
    std::vector<int> pool;
    for (int i = 0; i < space_.size(); ++i) {
      if (in[static_cast<size_t>(i)] && !history[i].Tried()) pool.push_back(i);
    }
    return pool;
  }

  static constexpr size_t kMostSamples = 200;
  static constexpr int kMostPredicted = 1500;
  const SearchSpace& space_;
  StrategyOptions options_;
  Random random_;
  SearchProcess process_;
  size_t tuned_at_ = 0;
  int hopeless_ = 0, reserve_ = -1;
};

}  // namespace

std::unique_ptr<Strategy> MakeModel(const SearchSpace& space, const StrategyOptions& options) {
  return std::make_unique<ModelGuided>(space, options);
}

}  // namespace trit
