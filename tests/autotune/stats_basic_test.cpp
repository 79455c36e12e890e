#include <gtest/gtest.h>

#include <limits>

#include "autotune/stats/holm.h"
#include "autotune/stats/robust.h"
#include "targets/base/error.h"
#include "tests/autotune/stats_samples.h"

namespace trit {
namespace {

TEST(Robust, MedianOfOddAndEvenCounts) {
  EXPECT_EQ(Median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_EQ(Median(std::vector<double>{4, 1, 3, 2}), 2.5);
  EXPECT_EQ(Median(std::vector<double>{7}), 7);
}

TEST(Robust, QuantilesInterpolate) {
  const std::vector<double> v{0, 10, 20, 30, 40};
  EXPECT_EQ(Quantile(v, 0), 0);
  EXPECT_EQ(Quantile(v, 1), 40);
  EXPECT_DOUBLE_EQ(Quantile(v, 0.9), 36);
}

TEST(Robust, NoSamplesAndNaNAreErrors) {
  EXPECT_THROW(Median(std::vector<double>{}), Error);
  EXPECT_THROW(Median(std::vector<double>{1, std::numeric_limits<double>::quiet_NaN()}), Error);
}

TEST(Robust, SpreadEstimatesTheStandardDeviationDespiteOutliers) {
  Random random(7);
  std::vector<double> v;
  for (int i = 0; i < 4000; ++i) v.push_back(100 + 5 * random.Normal());
  for (int i = 0; i < 400; ++i) v.push_back(1e9);
  EXPECT_NEAR(Spread(v), 5, 0.8);
  EXPECT_NEAR(Median(v), 100, 1);
}

TEST(Robust, InfiniteSamplesDoNotPoisonTheMedian) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Median(std::vector<double>{1, 2, inf}), 2);
  EXPECT_EQ(Median(std::vector<double>{1, inf, inf, inf}), inf);
}

TEST(Holm, AdjustsStepDown) {
  // 0.01 * 4, 0.02 * 3, max(0.03 * 2, 0.06), max(0.5 * 1, ...)
  const std::vector<double> p{0.5, 0.01, 0.03, 0.02};
  const std::vector<double> adjusted = HolmAdjust(p);
  EXPECT_DOUBLE_EQ(adjusted[0], 0.5);
  EXPECT_DOUBLE_EQ(adjusted[1], 0.04);
  EXPECT_DOUBLE_EQ(adjusted[2], 0.06);
  EXPECT_DOUBLE_EQ(adjusted[3], 0.06);
  EXPECT_TRUE(HolmAdjust({}).empty());
}

TEST(Holm, KeepsTheChanceOfAnyFalseAlarmBelowAlpha) {
  Random random(3);
  int alarms = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<double> p;
    for (int i = 0; i < 20; ++i) p.push_back(random.Uniform());
    for (double x : HolmAdjust(p)) {
      if (x <= 0.05) {
        ++alarms;
        break;
      }
    }
  }
  EXPECT_LT(alarms, 2000 * 0.065);
  EXPECT_GT(alarms, 2000 * 0.03);
}

TEST(RandomNumbers, AreTheSameEverywhere) {
  Random random(42);
  EXPECT_EQ(random.Next(), 0xbdd732262feb6e95u);
  double sum = 0, squares = 0;
  for (int i = 0; i < 20000; ++i) {
    const double z = random.Normal();
    sum += z, squares += z * z;
    EXPECT_LT(random.Below(7), 7u);
  }
  EXPECT_NEAR(sum / 20000, 0, 0.03);
  EXPECT_NEAR(squares / 20000, 1, 0.05);
}

}  // namespace
}  // namespace trit
