#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "autotune/search/cost_model.h"
#include "autotune/search/strategies.h"
#include "autotune/stats/robust.h"
#include "targets/base/error.h"
#include "tests/autotune/search_landscape.h"

namespace trit {
namespace {

constexpr int kRounds = 3;
constexpr double kShare = 0.15;

// True speed of what a strategy chose as a share of the best there is. At most 15 % of the points
// and at most 15 % of the rounds of an exhaustive search.
double Quality(const char* name, const Landscape& landscape, const MachineModel& machine,
               uint64_t seed) {
  SyntheticEvaluator evaluator(landscape, machine, seed * 77 + 5);
  const auto strategy =
      MakeStrategy(name, landscape.space, {.seed = seed, .rounds = kRounds, .batch = 8});
  History history(landscape.space.size());
  SearchLimits limits;
  limits.max_points = static_cast<int>(kShare * landscape.space.size());
  limits.max_rounds = static_cast<int>(kShare * landscape.space.size() * kRounds);
  const SearchResult r = RunSearch(landscape.space, strategy.get(), &evaluator, limits, &history);
  EXPECT_LE(static_cast<int>(history.tried().size()), limits.max_points);
  EXPECT_LE(evaluator.rounds(), limits.max_rounds);
  EXPECT_GE(r.best, 0);
  return landscape.Best() / landscape.true_ns[static_cast<size_t>(r.best)];
}

std::vector<double> TenSeeds(const char* name, const auto& make, const MachineModel& machine) {
  std::vector<double> quality;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const Landscape landscape = make(seed);
    EXPECT_GE(landscape.space.size(), 500);
    quality.push_back(Quality(name, landscape, machine, seed));
  }
  return quality;
}

void Report(const char* what, const std::vector<double>& q) {
  printf("%-44s median %.4f  worst %.4f\n", what, Median(q), Quantile(q, 0));
}

const MachineModel kNoisy{.noise = 0.01, .outliers = 0.06, .drift = 0};
const MachineModel kDrifting{.noise = 0.015, .outliers = 0.06, .drift = 0.25};
const MachineModel kBusy{.noise = 0.03, .outliers = 0.2, .drift = 0.25};

TEST(ModelSearch, Finds98PercentInAKernelLikeSpace) {
  const auto q = TenSeeds("model", KernelLikeLandscape, kNoisy);
  Report("model, kernel-like, noise", q);
  EXPECT_GE(Median(q), 0.98);
}

TEST(ModelSearch, Finds98PercentInARuggedSpaceWithoutAPrior) {
  const auto q = TenSeeds("model", RuggedLandscape, kNoisy);
  Report("model, rugged, noise", q);
  EXPECT_GE(Median(q), 0.98);
}

TEST(ModelSearch, Finds98PercentOnADriftingMachine) {
  const auto q = TenSeeds("model", KernelLikeLandscape, kDrifting);
  Report("model, kernel-like, drift and outliers", q);
  EXPECT_GE(Median(q), 0.98);
  const auto random = TenSeeds("random", KernelLikeLandscape, kDrifting);
  Report("random, the same", random);
  EXPECT_GT(Median(q), Median(random));  // at the same price
}

TEST(ModelSearch, StaysNearOnABusyMachine) {
  const auto q = TenSeeds("model", KernelLikeLandscape, kBusy);
  Report("model, kernel-like, every fifth round an outlier", q);
  EXPECT_GE(Median(q), 0.96);
}

TEST(OtherStrategies, AreWithinTheirBounds) {
  for (const char* name : {"evolution", "halving"}) {
    const auto q = TenSeeds(name, KernelLikeLandscape, kDrifting);
    Report(name, q);
    EXPECT_GE(Median(q), 0.9) << name;
  }
}

TEST(Exhaustive, MeasuresEveryPointOnceAndFindsTheBest) {
  const Landscape landscape = RuggedLandscape(3);
  SyntheticEvaluator evaluator(landscape, {.noise = 0, .outliers = 0}, 1);
  const auto strategy = MakeStrategy("exhaustive", landscape.space, {.seed = 1, .rounds = 2});
  History history(landscape.space.size());
  const SearchResult result = RunSearch(landscape.space, strategy.get(), &evaluator, {}, &history);
  EXPECT_EQ(evaluator.rounds(), 2 * landscape.space.size());
  EXPECT_EQ(landscape.true_ns[static_cast<size_t>(result.best)], landscape.Best());
  EXPECT_EQ(result.stopped, "strategy");
}

TEST(AllStrategies, AreDeterministicBySeed) {
  const Landscape landscape = KernelLikeLandscape(4);
  for (const char* name : {"model", "evolution", "halving", "random"}) {
    const auto path = [&](uint64_t seed) {
      SyntheticEvaluator evaluator(landscape, kNoisy, 1);
      History history(landscape.space.size());
      const auto strategy = MakeStrategy(name, landscape.space, {.seed = seed});
      RunSearch(landscape.space, strategy.get(), &evaluator, {.max_points = 60, .max_rounds = 200},
                &history);
      return history.tried();
    };
    EXPECT_EQ(path(5), path(5)) << name;
    EXPECT_NE(path(5), path(6)) << name;
  }
}

TEST(AllStrategies, EndInATinySpaceAndWhenEverythingFails) {
  const SearchSpace tiny({{"a", 3, true}}, {{{0}, 0}, {{1}, 5}, {{2}, 7}});
  const Landscape landscape{tiny, {3, 2, 1}};
  for (const char* name : {"exhaustive", "model", "evolution", "halving", "random"}) {
    SyntheticEvaluator evaluator(landscape, {}, 1);
    History history(3);
    const auto strategy = MakeStrategy(name, tiny, {});
    EXPECT_EQ(RunSearch(tiny, strategy.get(), &evaluator, {}, &history).best, 2) << name;

    SyntheticEvaluator broken(landscape, {}, 1);
    broken.fail = [](int) { return true; };
    History nothing(3);
    const auto again = MakeStrategy(name, tiny, {});
    EXPECT_EQ(RunSearch(tiny, again.get(), &broken, {}, &nothing).best, -1) << name;
    EXPECT_LE(nothing.rounds(), 3) << name << " tried a failed point again";
  }
}

TEST(AllStrategies, WalkAroundFailures) {
  const Landscape landscape = KernelLikeLandscape(8);
  for (const char* name : {"model", "evolution", "halving", "random"}) {
    SyntheticEvaluator evaluator(landscape, kNoisy, 2);
    evaluator.fail = [](int point) { return point % 3 == 0; };
    History history(landscape.space.size());
    const auto strategy = MakeStrategy(name, landscape.space, {.seed = 3});
    SearchLimits limits;
    limits.max_rounds = 400;
    const SearchResult result =
        RunSearch(landscape.space, strategy.get(), &evaluator, limits, &history);
    ASSERT_GE(result.best, 0) << name;
    EXPECT_NE(result.best % 3, 0) << name;
  }
}

TEST(EarlyStop, EndsAtTheRoofWithoutWaste) {
  const Landscape landscape = KernelLikeLandscape(2);
  // A roof that about 3 % of the points reach: memory-bound decode.
  std::vector<double> sorted = landscape.true_ns;
  std::sort(sorted.begin(), sorted.end());
  Landscape flat = landscape;
  const double roof = sorted[sorted.size() / 30];
  for (double& ns : flat.true_ns) ns = std::max(ns, roof);
  SyntheticEvaluator evaluator(flat, {.noise = 0.002, .outliers = 0.05, .roof_ns = roof}, 9);
  History history(flat.space.size());
  const auto strategy = MakeStrategy("model", flat.space, {.seed = 4});
  const SearchResult result = RunSearch(flat.space, strategy.get(), &evaluator, {}, &history);
  EXPECT_EQ(result.stopped, "roof");
  EXPECT_LT(history.tried().size(), flat.true_ns.size() / 5);
  EXPECT_LE(flat.true_ns[static_cast<size_t>(result.best)], roof / 0.95);
}

TEST(KnownPoints, AreNotMeasuredAgain) {
  const Landscape landscape = RuggedLandscape(1);
  SyntheticEvaluator evaluator(landscape, kNoisy, 1);
  History history(landscape.space.size());
  const auto strategy = MakeStrategy("exhaustive", landscape.space, {.seed = 1, .rounds = 2});
  RunSearch(landscape.space, strategy.get(), &evaluator, {}, &history);
  SyntheticEvaluator second(landscape, kNoisy, 2);
  const auto again = MakeStrategy("exhaustive", landscape.space, {.seed = 1, .rounds = 2});
  RunSearch(landscape.space, again.get(), &second, {}, &history);
  EXPECT_EQ(second.rounds(), 0);
}

TEST(Estimator, IsTheFasterHalfsMedian) {
  EXPECT_EQ(EstimateNs(std::vector<double>{7}), 7);
  EXPECT_EQ(EstimateNs(std::vector<double>{9, 7}), 7);
  EXPECT_EQ(EstimateNs(std::vector<double>{30, 7, 9}), 8);
  // 100 points of equal speed, every tenth round an outlier: the ranking must not be theirs.
  Random random(3);
  int misled_estimate = 0, misled_mean = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto s = NoisySamples(2, 100, 0.01, 0.1, &random);
    misled_estimate += EstimateNs(s) > 110;
    misled_mean += (s[0] + s[1]) / 2 > 110;
  }
  EXPECT_LT(misled_estimate, 45);
  EXPECT_GT(misled_mean, 300);
}

TEST(SearchSpaceTest, RefusesWhatDoesNotFit) {
  EXPECT_THROW(SearchSpace({{"a", 2, true}}, {{{0, 1}, 0}}), Error);
  EXPECT_THROW(SearchSpace({{"a", 2, true}}, {{{2}, 0}}), Error);
  EXPECT_THROW(SearchSpace({{"a", 2, true}}, {{{1}, 0}, {{1}, 0}}), Error);
  const SearchSpace space({{"a", 3, true}, {"b", 3, false}},
                          {{{0, 0}, 0}, {{1, 0}, 0}, {{2, 0}, 0}, {{0, 1}, 0}, {{0, 2}, 0}});
  EXPECT_EQ(space.Neighbours(0), (std::vector<int>{1, 3, 4}));
  EXPECT_EQ(space.Neighbours(2), (std::vector<int>{1}));
  EXPECT_EQ(space.Find({2, 2}), -1);
  EXPECT_THAT([&] { MakeStrategy("greedy", space, {}); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("halving")));
}

TEST(CostModel, FollowsTheNearerRoof) {
  const MachineRates rates{.bytes_per_s = 32e9, .vector_ops_per_s = 3.7e9};
  const KernelCost streaming{.stream_bytes = 3.2e6, .vector_instructions = 1e4};
  EXPECT_NEAR(PriorNs(streaming, rates), 100000, 1000);
  const KernelCost busy{.stream_bytes = 100, .vector_instructions = 3.7e5};
  EXPECT_NEAR(PriorNs(busy, rates), 100000, 1000);
  KernelCost tables = busy;
  tables.hot_reads = 3.7e5 * 64;
  tables.hot_bytes = 16 << 10;
  const double in_l1 = PriorNs(tables, rates);
  tables.hot_bytes = 256 << 10;
  const double in_l2 = PriorNs(tables, rates);
  tables.hot_bytes = 8 << 20;
  EXPECT_LT(in_l1, in_l2);
  EXPECT_LT(in_l2, PriorNs(tables, rates));
}

}  // namespace
}  // namespace trit
