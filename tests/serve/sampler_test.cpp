#include "model/sampling/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::map<int32_t, int> Draws(SamplingOptions options, const std::vector<float>& logits, int count) {
  Sampler sampler(options);
  std::map<int32_t, int> seen;
  for (int i = 0; i < count; ++i) {
    std::vector<float> copy = logits;
    ++seen[sampler.Sample(copy)];
  }
  return seen;
}

TEST(Sampler, GreedyTakesTheFirstOfEquals) {
  Sampler sampler({.temperature = 0});
  std::vector<float> logits = {1, 3, -2, 3};
  EXPECT_EQ(sampler.Sample(logits), 1);
}

TEST(Sampler, DrawsFollowTheDistribution) {
  const std::vector<float> logits = {std::log(0.5f), std::log(0.3f), std::log(0.2f)};
  auto seen = Draws({.temperature = 1, .seed = 11}, logits, 20000);
  EXPECT_NEAR(seen[0] / 20000.0, 0.5, 0.02);  // 5 standard deviations
  EXPECT_NEAR(seen[1] / 20000.0, 0.3, 0.02);
  EXPECT_NEAR(seen[2] / 20000.0, 0.2, 0.02);
}

TEST(Sampler, TheSeedDecides) {
  const std::vector<float> logits(100, 0.0f);
  EXPECT_EQ(Draws({.temperature = 1, .seed = 5}, logits, 50),
            Draws({.temperature = 1, .seed = 5}, logits, 50));
  EXPECT_NE(Draws({.temperature = 1, .seed = 5}, logits, 50),
            Draws({.temperature = 1, .seed = 6}, logits, 50));
}

TEST(Sampler, CutsKeepTheHead) {
  const std::vector<float> logits = {std::log(0.4f), std::log(0.1f), std::log(0.3f),
                                     std::log(0.2f)};
  const auto keys = [&](SamplingOptions options) {
    std::string text;
    options.temperature = 1;
    for (const auto& [token, count] : Draws(options, logits, 2000)) text += Join(token, " ");
    return text;
  };
  EXPECT_EQ(keys({.top_k = 2}), "0 2 ");
  EXPECT_EQ(keys({.top_p = 0.65f}), "0 2 ");
  EXPECT_EQ(keys({.top_p = 0.0f}), "0 ");
  EXPECT_EQ(keys({.min_p = 0.45f}), "0 2 3 ");
  EXPECT_EQ(keys({.top_k = 100}), "0 1 2 3 ");
}

// A vocabulary of real size: cuts must find their tokens without an order over all of them.
TEST(Sampler, LargeVocabulariesFollowTheDistribution) {
  constexpr int kVocabulary = 2503;
  std::vector<float> logits(kVocabulary);
  for (int i = 0; i < kVocabulary; ++i) {
    logits[static_cast<size_t>(i)] = std::sin(static_cast<float>(i)) * 6;
  }
  std::vector<std::pair<double, int>> sorted;
  double total = 0;
  for (int i = 0; i < kVocabulary; ++i) {
    sorted.emplace_back(std::exp(static_cast<double>(logits[static_cast<size_t>(i)])), i);
    total += sorted.back().first;
  }
  std::sort(sorted.rbegin(), sorted.rend());
  const auto allowed = [&](auto keep) {
    std::map<int32_t, int> tokens;
    double mass = 0;
    for (size_t i = 0; i < sorted.size() && keep(i, mass); ++i) {
      mass += sorted[i].first / total;
      tokens[sorted[i].second] = 1;
    }
    return tokens;
  };
  const auto inside = [&](const SamplingOptions& options, const std::map<int32_t, int>& wanted) {
    size_t seen = 0;
    for (const auto& [token, count] : Draws(options, logits, 600)) {
      EXPECT_TRUE(wanted.count(token)) << token;
      ++seen;
    }
    EXPECT_GE(seen, std::min<size_t>(wanted.size() / 2, 60)) << "most of the kept tokens appear";
  };
  inside({.temperature = 1, .top_k = 60, .seed = 3},
         allowed([](size_t i, double) { return i < 60; }));
  inside({.temperature = 1, .top_p = 0.5f, .seed = 4},
         allowed([](size_t, double mass) { return mass < 0.5; }));
  inside({.temperature = 1, .top_p = 0.999f, .seed = 4},
         allowed([](size_t, double mass) { return mass < 0.999; }));
  inside({.temperature = 1, .min_p = 0.3f, .seed = 5},
         allowed([&](size_t i, double) { return sorted[i].first >= 0.3 * sorted[0].first; }));
  // Without a cut: the share of the second piece of 1024 is its mass.
  double upper = 0;
  for (const auto& [mass, token] : sorted)
    upper += token >= 1024 && token < 2048 ? mass / total : 0;
  int hits = 0;
  for (const auto& [token, count] : Draws({.temperature = 1, .seed = 6}, logits, 6000)) {
    if (token >= 1024 && token < 2048) hits += count;
  }
  EXPECT_NEAR(hits / 6000.0, upper, 0.035);  // 5 standard deviations
}

TEST(Sampler, TokensOfNoProbabilityAreNeverDrawn) {
  std::vector<float> logits(3000, -kInfinity);
  logits[1023] = 1;
  logits[2047] = 1;
  const auto seen = Draws({.temperature = 1, .seed = 2}, logits, 1000);
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen.begin()->first, 1023);
}

TEST(Sampler, PenaltiesAndBias) {
  std::vector<float> logits = {2.0f, 1.9f, -1.0f};
  Sampler frequency({.temperature = 0, .frequency_penalty = 0.06f});
  frequency.Accept(0, true);
  frequency.Accept(0, true);
  std::vector<float> copy = logits;
  EXPECT_EQ(frequency.Sample(copy), 1) << "2 - 2 * 0.06 < 1.9";

  Sampler prompt({.temperature = 0, .presence_penalty = 2.0f});
  prompt.Accept(0, false);
  copy = logits;
  EXPECT_EQ(prompt.Sample(copy), 0) << "presence counts answers alone";

  Sampler repeat({.temperature = 0, .repeat_penalty = 1.5f, .repeat_last_n = 2});
  repeat.Accept(0, false);
  copy = logits;
  EXPECT_EQ(repeat.Sample(copy), 1);
  repeat.Accept(1, false);
  repeat.Accept(2, false);  // 0 has left the window of two
  copy = logits;
  EXPECT_EQ(repeat.Sample(copy), 0);
  EXPECT_FLOAT_EQ(copy[2], -1.5f) << "a negative logit is multiplied";

  Sampler bias({.temperature = 0, .logit_bias = {{2, 100.0f}, {7, 1.0f}, {-1, 1.0f}}});
  copy = logits;
  EXPECT_EQ(bias.Sample(copy), 2) << "tokens outside the vocabulary are left out";
}

TEST(Sampler, BrokenLogitsAreErrors) {
  Sampler sampler({.temperature = 1});
  std::vector<float> none;
  std::vector<float> bad = {0, std::nanf(""), 1};
  std::vector<float> infinite = {0, kInfinity};
  std::vector<float> empty = {-kInfinity, -kInfinity};
  std::vector<float> one = {-kInfinity, 3, -kInfinity};
  EXPECT_THROW(sampler.Sample(none), Error);
  EXPECT_THROW(sampler.Sample(bad), Error);
  EXPECT_THROW(sampler.Sample(infinite), Error);
  EXPECT_THROW(sampler.Sample(empty), Error);
  EXPECT_EQ(sampler.Sample(one), 1);
}

TEST(LogprobsOf, SumToOneAndAreSorted) {
  const std::vector<float> logits = {1, 5, 3, 5, -kInfinity};
  const Logprobs all = LogprobsOf(logits, 2, 10);
  ASSERT_EQ(all.top.size(), 5u);
  EXPECT_EQ(all.top[0].token, 1);
  EXPECT_EQ(all.top[1].token, 3);
  EXPECT_EQ(all.top[2].token, 2);
  EXPECT_EQ(all.top[2].logprob, all.chosen.logprob);
  double sum = 0;
  for (const TokenLogprob& token : all.top) sum += std::exp(token.logprob);
  EXPECT_NEAR(sum, 1, 1e-6);
  EXPECT_EQ(LogprobsOf(logits, 0, 0).top.size(), 0u);
  EXPECT_THROW(LogprobsOf(logits, 5, 0), Error);
}

}  // namespace
}  // namespace trit
