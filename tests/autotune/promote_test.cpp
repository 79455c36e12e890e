// The rule by which a tuned kernel replaces the shipped one: synthetic machines, known truth.
#include "autotune/tune/promote.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "targets/base/error.h"
#include "tests/autotune/stats_samples.h"

namespace trit {
namespace {

using testing::HasSubstr;

// Rounds of a machine whose speed wanders: both kernels of a round see the same slowness, each has
// noise and outliers of its own.
PairedPass Pass(double challenger, double incumbent, double noise, Random* random,
                double wander = 0, int rounds = 9) {
  PairedPass pass;
  for (int i = 0; i < rounds; ++i) {
    const double slow = 1 + wander * random->Uniform();
    pass.challenger_ns.push_back(NoisySample(challenger * slow, noise, 0.1, random));
    pass.incumbent_ns.push_back(NoisySample(incumbent * slow, noise, 0.1, random));
  }
  return pass;
}

TEST(PromotionTest, NeedsAMarginOutsideNoiseMoreThanOnce) {
  Random random(4);
  const auto pass = [&](double challenger, double incumbent, double noise) {
    return Pass(challenger, incumbent, noise, &random);
  };
  const PromotionRules rules;
  const std::vector<PairedPass> clear{pass(90, 100, 0.01), pass(90, 100, 0.01)};
  EXPECT_TRUE(JudgeChallenger(clear, rules).promoted);
  EXPECT_THAT(JudgeChallenger(clear, rules).reason, HasSubstr("promoted"));
  EXPECT_FALSE(JudgeChallenger(clear, rules).open(rules));
  const Verdict once = JudgeChallenger(std::span(clear).first(1), rules);
  EXPECT_FALSE(once.promoted);
  EXPECT_TRUE(once.open(rules));
  EXPECT_THAT(once.reason, HasSubstr("one pass only"));
  const std::vector<PairedPass> same{pass(100, 100, 0.01), pass(100, 100, 0.01)};
  EXPECT_FALSE(JudgeChallenger(same, rules).promoted);
  EXPECT_FALSE(JudgeChallenger(same, rules).slower);
  const std::vector<PairedPass> tiny{pass(99.7, 100, 0.0001), pass(99.7, 100, 0.0001)};
  EXPECT_FALSE(JudgeChallenger(tiny, rules).promoted);  // certain, but below the margin
  const std::vector<PairedPass> slower{pass(110, 100, 0.01), pass(110, 100, 0.01)};
  EXPECT_TRUE(JudgeChallenger(slower, rules).slower);
  EXPECT_FALSE(JudgeChallenger(slower, rules).open(rules));
  const std::vector<PairedPass> luck{pass(80, 100, 0.01), pass(101, 100, 0.005)};
  EXPECT_FALSE(JudgeChallenger(luck, rules).promoted);
  EXPECT_THROW(JudgeChallenger({}, rules), Error);
  EXPECT_THROW(JudgeChallenger(std::vector<PairedPass>{{{1, 2}, {1}}}, rules), Error);
}

// As many passes as the tuner takes.
Verdict Decide(double challenger, double incumbent, double noise, double wander, Random* random) {
  const PromotionRules rules;
  std::vector<PairedPass> passes;
  Verdict verdict;
  while (verdict.open(rules)) {
    passes.push_back(Pass(challenger, incumbent, noise, random, wander));
    verdict = JudgeChallenger(passes, rules);
  }
  EXPECT_GE(verdict.passes, rules.min_passes);
  EXPECT_LE(verdict.passes, rules.max_passes);
  return verdict;
}

TEST(PromotionTest, EqualKernelsAreAlmostNeverPromotedHoweverManyPasses) {
  Random random(9);
  for (const double noise : {0.005, 0.03, 0.1}) {
    int promoted = 0;
    for (int i = 0; i < 300; ++i) promoted += Decide(100, 100, noise, 0.3, &random).promoted;
    EXPECT_LE(promoted, 3) << noise;
  }
}

// What the unpaired U test kept back: gains of 5 % on a machine that wanders by 30 %.
TEST(PromotionTest, PairsDecideOnAMachineThatWanders) {
  Random random(11);
  int promoted = 0, wrong_side = 0;
  for (int i = 0; i < 100; ++i) {
    promoted += Decide(95, 100, 0.015, 0.3, &random).promoted;
    wrong_side += Decide(103, 100, 0.015, 0.3, &random).promoted;
  }
  EXPECT_GE(promoted, 90);
  EXPECT_EQ(wrong_side, 0);
}

}  // namespace
}  // namespace trit
