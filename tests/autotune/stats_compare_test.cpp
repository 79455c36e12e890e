#include <gtest/gtest.h>

#include <algorithm>

#include "autotune/stats/bootstrap.h"
#include "autotune/stats/mann_whitney.h"
#include "autotune/stats/signed_rank.h"
#include "targets/base/error.h"
#include "tests/autotune/stats_samples.h"

namespace trit {
namespace {

TEST(MannWhitney, CountsSmallCasesExactly) {
  // All of a below all of b: one arrangement of C(8, 4) = 70.
  const UTest t = MannWhitney(std::vector<double>{1, 2, 3, 4}, std::vector<double>{5, 6, 7, 8});
  EXPECT_TRUE(t.exact);
  EXPECT_EQ(t.u, 0);
  EXPECT_EQ(t.effect, 0);
  EXPECT_NEAR(t.p_a_less, 1.0 / 70, 1e-12);
  EXPECT_NEAR(t.p_a_greater, 1.0, 1e-12);
  EXPECT_NEAR(t.p_two_sided, 2.0 / 70, 1e-12);
  // {1, 3} against {2, 4, 5}: U = 1, and 2 of 10 arrangements have U <= 1.
  const UTest s = MannWhitney(std::vector<double>{1, 3}, std::vector<double>{2, 4, 5});
  EXPECT_EQ(s.u, 1);
  EXPECT_NEAR(s.p_a_less, 0.2, 1e-12);
}

// Brute force over all ways to choose which samples are a's.
TEST(MannWhitney, AgreesWithEnumeration) {
  const std::vector<double> values{0.3, 1.7, 2.2, 2.9, 3.1, 4.4, 5.8, 6.0, 9.5};
  const std::vector<double> a{0.3, 2.2, 2.9, 5.8}, b{1.7, 3.1, 4.4, 6.0, 9.5};
  const UTest t = MannWhitney(a, b);
  int below = 0, all = 0;
  for (unsigned mask = 0; mask < (1u << 9); ++mask) {
    if (__builtin_popcount(mask) != 4) continue;
    double u = 0;
    for (int i = 0; i < 9; ++i) {
      for (int j = 0; j < 9; ++j) {
        if ((mask >> i & 1) && !(mask >> j & 1)) u += values[i] > values[j];
      }
    }
    ++all;
    below += u <= t.u;
  }
  EXPECT_NEAR(t.p_a_less, static_cast<double>(below) / all, 1e-12);
}

TEST(MannWhitney, HandlesTies) {
  const UTest same = MannWhitney(std::vector<double>(9, 5.0), std::vector<double>(7, 5.0));
  EXPECT_EQ(same.p_two_sided, 1);
  EXPECT_EQ(same.effect, 0.5);
  // By hand: U = 0 + 0 + 0.5 + 0.5 + 2; ties of 2, 3, 3 and 2 give the variance
  // 25/12 * (11 - 60/90) = 21.53, z = (12.5 - 3 - 0.5) / 4.640 = 1.940.
  const UTest t =
      MannWhitney(std::vector<double>{1, 1, 2, 2, 3}, std::vector<double>{2, 3, 3, 4, 4});
  EXPECT_FALSE(t.exact);
  EXPECT_DOUBLE_EQ(t.u, 3.0);
  EXPECT_NEAR(t.p_a_less, 0.0263, 5e-4);
}

TEST(MannWhitney, FalseAlarmsStayAtTheirRateAndRealStepsAreSeen) {
  Random random(11);
  int false_alarms = 0, seen = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    const auto a = NoisySamples(20, 100, 0.03, 0.1, &random);
    const auto b = NoisySamples(20, 100, 0.03, 0.1, &random);
    const auto c = NoisySamples(20, 105, 0.03, 0.1, &random);
    false_alarms += MannWhitney(a, b).p_two_sided <= 0.01;
    seen += MannWhitney(a, c).p_a_less <= 0.01;
  }
  EXPECT_LE(false_alarms, 22);  // 10 expected
  EXPECT_GE(seen, 950);
}

TEST(MannWhitney, EmptySideIsAnError) {
  EXPECT_THROW(MannWhitney({}, std::vector<double>{1}), Error);
}

TEST(PairedTest, SeesAStepBehindOneSidedOutliers) {
  Random random(21);
  int seen = 0, alarms = 0;
  for (int round = 0; round < 100; ++round) {
    std::vector<double> a, b, c;
    for (int i = 0; i < 18; ++i) {
      const double slow = 1 + 0.4 * random.Uniform();
      a.push_back(NoisySample(100 * slow, 0.01, 0.1, &random));
      b.push_back(NoisySample(100 * slow, 0.01, 0.1, &random));
      c.push_back(NoisySample(105 * slow, 0.01, 0.1, &random));
    }
    alarms += PairedP(a, b) <= 0.01;
    seen += PairedP(a, c) <= 0.01;
  }
  EXPECT_LE(alarms, 5);
  EXPECT_GE(seen, 95);
  EXPECT_EQ(PairedP({}, {}), 1);
  EXPECT_THROW(PairedP(std::vector<double>{1}, std::vector<double>{1, 2}), Error);
}

TEST(SignedRank, CountsSmallCasesAndIsCalibrated) {
  EXPECT_DOUBLE_EQ(SignedRankP(std::vector<double>{1, 2, 3, 4, 5}), 2.0 / 32);
  EXPECT_DOUBLE_EQ(SignedRankP(std::vector<double>{-1, 2, 3, 4, 5}), 4.0 / 32);
  EXPECT_EQ(SignedRankP(std::vector<double>{0, 0}), 1);
  EXPECT_EQ(SignedRankP({}), 1);
  Random random(21);
  int alarms = 0;
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<double> v;
    for (int i = 0; i < 18; ++i) v.push_back(random.Normal());
    alarms += SignedRankP(v) <= 0.01;
  }
  EXPECT_LE(alarms, 35);
  EXPECT_GE(alarms, 5);
  std::vector<double> tied(60, 1.0);
  EXPECT_LT(SignedRankP(tied), 1e-6);
}

TEST(Bootstrap, CoversTheTrueRatioAsOftenAsItSays) {
  Random random(5);
  int covered = 0;
  for (int trial = 0; trial < 200; ++trial) {
    const auto a = NoisySamples(25, 110, 0.05, 0.1, &random);
    const auto b = NoisySamples(25, 100, 0.05, 0.1, &random);
    const Interval interval = RatioOfMedians(a, b, 0.95, 400, trial + 1);
    EXPECT_LE(interval.low, interval.centre);
    EXPECT_GE(interval.high, interval.centre);
    covered += interval.Contains(1.1);
  }
  EXPECT_GE(covered, 180);
}

TEST(Bootstrap, IsDeterministicAndShrinksWithSamples) {
  Random random(6);
  const auto a = NoisySamples(200, 100, 0.05, 0.05, &random);
  const auto b = NoisySamples(200, 100, 0.05, 0.05, &random);
  const Interval all = RatioOfMedians(a, b), again = RatioOfMedians(a, b);
  EXPECT_EQ(all.low, again.low);
  EXPECT_EQ(all.high, again.high);
  const Interval few = RatioOfMedians(std::span(a).first(10), std::span(b).first(10));
  EXPECT_LT(all.HalfWidth(), few.HalfWidth());
}

// A machine that slows down by 30 % over the run: unpaired samples blur, pairs do not.
TEST(Bootstrap, PairsCancelDrift) {
  Random random(8);
  std::vector<double> a, b;
  for (int i = 0; i < 40; ++i) {
    const double drift = 1 + 0.3 * i / 40;
    a.push_back(drift * NoisySample(103, 0.005, 0.05, &random));
    b.push_back(drift * NoisySample(100, 0.005, 0.05, &random));
  }
  const Interval paired = MedianOfRatios(a, b), unpaired = RatioOfMedians(a, b);
  EXPECT_TRUE(paired.Contains(1.03));
  EXPECT_GT(paired.low, 1.02);
  EXPECT_LT(unpaired.low, 1.0);
  EXPECT_THROW(MedianOfRatios(a, std::span(b).first(3)), Error);
}

}  // namespace
}  // namespace trit
