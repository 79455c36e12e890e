// Typical sampling and mirostat 2 against their definitions, worked out here a second time.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "model/sampling/sampler.h"

namespace trit {
namespace {

std::vector<float> Logs(const std::vector<double>& p) {
  std::vector<float> logits;
  for (const double value : p) logits.push_back(static_cast<float>(std::log(value)));
  return logits;
}

std::map<int32_t, int> Draws(const SamplingOptions& options, const std::vector<float>& logits,
                             int count) {
  Sampler sampler(options);
  std::map<int32_t, int> seen;
  for (int i = 0; i < count; ++i) {
    std::vector<float> copy = logits;
    ++seen[sampler.Sample(copy)];
  }
  return seen;
}

std::set<int32_t> Keys(const std::map<int32_t, int>& seen) {
  std::set<int32_t> keys;
  for (const auto& [token, count] : seen) keys.insert(token);
  return keys;
}

// Entropy 1.280 nats; surprises 0.916, 1.204, 1.609, 2.303, so token 1 is the most typical one,
// then 2, 0, 3.
const std::vector<double> kFour = {0.4, 0.3, 0.2, 0.1};

TEST(Typical, KeepsWhatIsNearestToTheEntropy) {
  const auto keys = [](float share) {
    return Keys(Draws({.temperature = 1, .typical_p = share, .seed = 3}, Logs(kFour), 2000));
  };
  EXPECT_EQ(keys(0.25f), (std::set<int32_t>{1}));
  EXPECT_EQ(keys(0.45f), (std::set<int32_t>{1, 2}));  // the most probable token is not among them
  EXPECT_EQ(keys(0.85f), (std::set<int32_t>{0, 1, 2}));
  EXPECT_EQ(keys(0.95f), (std::set<int32_t>{0, 1, 2, 3}));
}

TEST(Typical, WhatIsKeptKeepsItsProportions) {
  auto seen = Draws({.temperature = 1, .typical_p = 0.45f, .seed = 4}, Logs(kFour), 20000);
  EXPECT_NEAR(seen[1] / 20000.0, 0.6, 0.02);  // 0.3 of 0.5; 5 standard deviations
  EXPECT_NEAR(seen[2] / 20000.0, 0.4, 0.02);
}

TEST(Typical, TemperatureComesFirst) {
  // At temperature 1/2 the four are 16/30, 9/30, 4/30, 1/30: entropy 1.078 nats, surprises 0.629,
  // 1.204, 2.015, 3.401; nearest is token 1, then 0.
  const auto keys =
      Keys(Draws({.temperature = 0.5f, .typical_p = 0.35f, .seed = 5}, Logs(kFour), 2000));
  EXPECT_EQ(keys, (std::set<int32_t>{0, 1}));
}

// p(i) ~ 1 / (i + 1) over 500 tokens: surprises from 2.8 to 11.7 bits.
std::vector<double> Zipf() {
  std::vector<double> p(500);
  double total = 0;
  for (size_t i = 0; i < p.size(); ++i) total += p[i] = 1.0 / static_cast<double>(i + 1);
  for (double& value : p) value /= total;
  return p;
}

TEST(Mirostat, MuFollowsTheSurpriseOfWhatWasDrawn) {
  const std::vector<double> p = Zipf();
  for (const double tau : {3.0, 5.0}) {
    constexpr double kEta = 0.1;
    constexpr int kDraws = 4000;
    Sampler sampler({.temperature = 1,
                     .mirostat_tau = static_cast<float>(tau),
                     .mirostat_eta = static_cast<float>(kEta),
                     .seed = 6});
    double mu = 2 * tau, sum = 0;
    for (int i = 0; i < kDraws; ++i) {
      std::vector<float> logits = Logs(p);
      const auto token = static_cast<size_t>(sampler.Sample(logits));
      double kept = 0;
      for (const double value : p) {
        if (-std::log2(value) <= mu) kept += value;
      }
      if (kept == 0) kept = p[0];  // the best one always stays
      ASSERT_TRUE(token == 0 || -std::log2(p[token]) <= mu + 1e-3) << "draw " << i;
      const double surprise = -std::log2(p[token] / kept);
      sum += surprise;
      mu -= kEta * (surprise - tau);
    }
    // The mean misses tau by (first mu - last mu) / (eta * draws) and no more.
    EXPECT_NEAR(sum / kDraws, tau, 0.05) << tau;
  }
}

TEST(Mirostat, WithoutLearningMuIsTwiceTau) {
  const std::vector<double> p = Zipf();
  const auto keys = Keys(
      Draws({.temperature = 1, .mirostat_tau = 2, .mirostat_eta = 0, .seed = 7}, Logs(p), 4000));
  std::set<int32_t> wanted;
  for (size_t i = 0; i < p.size(); ++i) {
    if (-std::log2(p[i]) <= 4) wanted.insert(static_cast<int32_t>(i));
  }
  EXPECT_EQ(wanted.size(), 2u);
  EXPECT_EQ(keys, wanted);
}

TEST(Mirostat, AnImpossibleTargetStillDrawsTheBest) {
  const auto keys = Keys(Draws(
      {.temperature = 1, .mirostat_tau = 0.01f, .mirostat_eta = 0, .seed = 8}, Logs(kFour), 50));
  EXPECT_EQ(keys, (std::set<int32_t>{0}));
}

}  // namespace
}  // namespace trit
