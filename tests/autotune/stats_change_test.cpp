#include <gtest/gtest.h>

#include <cmath>

#include "autotune/stats/change.h"
#include "tests/autotune/stats_samples.h"

namespace trit {
namespace {

TEST(TrendTest, SeesASlowDriftUnderNoise) {
  Random random(1);
  std::vector<double> drifting, steady;
  for (int i = 0; i < 60; ++i) {
    drifting.push_back(NoisySample(100 * (1 + 0.001 * i), 0.01, 0.05, &random));
    steady.push_back(NoisySample(100, 0.01, 0.05, &random));
  }
  EXPECT_LT(FindTrend(drifting).p, 1e-6);
  EXPECT_NEAR(FindTrend(drifting).slope, 0.001, 0.0003);
  EXPECT_GT(FindTrend(steady).p, 0.01);
  EXPECT_EQ(FindTrend(std::vector<double>(9, 5.0)).p, 1);
  EXPECT_EQ(FindTrend(std::vector<double>{1, 2}).p, 1);
}

TEST(Disturbance, MarksTheRoundsInWhichTheMachineWasBusy) {
  std::vector<double> reference(20, 100.0);
  for (size_t i = 0; i < reference.size(); ++i) reference[i] += 0.3 * static_cast<double>(i % 5);
  reference[4] = 131;
  reference[5] = 180;
  reference[17] = 107;
  const std::vector<bool> disturbed = DisturbedRounds(reference, 0.05);
  for (size_t i = 0; i < reference.size(); ++i) {
    EXPECT_EQ(disturbed[i], i == 4 || i == 5 || i == 17) << i;
  }
}

// Up to half of the rounds may be disturbed; the fast ones are the truth.
TEST(Disturbance, SurvivesAMachineThatIsBusyHalfOfTheTime) {
  std::vector<double> reference;
  for (int i = 0; i < 20; ++i) reference.push_back(i % 2 ? 100 + i * 0.1 : 140 + i);
  const std::vector<bool> disturbed = DisturbedRounds(reference, 0.05);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(disturbed[static_cast<size_t>(i)], i % 2 == 0) << i;
}

TEST(ChangePoints, FindsTheStepsAndNothingElse) {
  Random random(4);
  std::vector<double> series;
  for (int i = 0; i < 60; ++i) {
    const double level = i < 20 ? 100 : i < 45 ? 106 : 92;
    series.push_back(NoisySample(level, 0.01, 0.08, &random));
  }
  const std::vector<ChangePoint> found = FindChangePoints(series);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NEAR(found[0].at, 20, 1);
  EXPECT_NEAR(found[1].at, 45, 1);
  EXPECT_NEAR(found[0].after / found[0].before, 1.06, 0.012);
  EXPECT_NEAR(found[1].after / found[1].before, 92.0 / 106, 0.012);
}

TEST(ChangePoints, StaysSilentOnNoise) {
  int alarms = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed);
    alarms += !FindChangePoints(NoisySamples(40, 100, 0.05, 0.1, &random)).empty();
  }
  EXPECT_LE(alarms, 2);
}

TEST(ChangePoints, IgnoresCertainButTinySteps) {
  std::vector<double> series(20, 100.0);
  for (size_t i = 10; i < 20; ++i) series[i] = 100.5;
  EXPECT_TRUE(FindChangePoints(series, 0.01, 0.02).empty());
  EXPECT_EQ(FindChangePoints(series, 0.01, 0.002).size(), 1u);
  EXPECT_TRUE(FindChangePoints({}).empty());
}

}  // namespace
}  // namespace trit
