#include "model/serve/step_times.h"

#include <gtest/gtest.h>

namespace trit::serve {
namespace {

int64_t Cost(int rows) {
  return 50'000 + 1'000 * std::max(0, rows - 16);
}

TEST(StepTimes, NothingKnownMeansTheSmallestPiece) {
  const StepTimes times(512);
  EXPECT_EQ(times.Estimate(3), 0);
  EXPECT_GE(times.PromptBudget(3, 1000), 1);
}

TEST(StepTimes, BudgetFollowsTheCurve) {
  StepTimes times(512);
  for (int rows = 1; rows <= 512; rows *= 2) times.Record(rows, Cost(rows));
  EXPECT_EQ(times.Estimate(1), 50'000);
  EXPECT_NEAR(static_cast<double>(times.Estimate(48)), Cost(48), 500);
  // 90 us hold 56 rows; four of them answer already.
  EXPECT_NEAR(times.PromptBudget(4, 90'000), 52, 3);
  EXPECT_EQ(times.PromptBudget(4, 49'000), 1) << "a prompt always moves";
  EXPECT_EQ(times.PromptBudget(4, 1'000'000'000), 508) << "never past max_rows";
}

TEST(StepTimes, GrowsIntoTheUnknownByDoubling) {
  StepTimes times(512);
  times.Record(1, 50'000);
  const int first = times.PromptBudget(1, 1'000'000'000);
  EXPECT_LE(first, 8);
  times.Record(1 + first, 50'000);
  EXPECT_LE(times.PromptBudget(1, 1'000'000'000), 2 * (1 + first));
}

TEST(StepTimes, FollowsAChangeAndShrugsOffAnOutlier) {
  StepTimes times(512);
  for (int i = 0; i < 50; ++i) times.Record(4, 50'000);
  times.Record(4, 5'000'000);
  EXPECT_LE(times.Estimate(4), 80'000);
  for (int i = 0; i < 30; ++i) times.Record(4, 100'000);
  EXPECT_NEAR(static_cast<double>(times.Estimate(4)), 100'000, 2'000);
}

TEST(StepTimes, RestlessStepsGetSmallerPieces) {
  StepTimes calm(512), restless(512);
  for (int i = 0; i < 40; ++i) {
    for (int rows = 1; rows <= 512; rows *= 2) {
      calm.Record(rows, Cost(rows));
      restless.Record(rows, Cost(rows) * (i % 2 ? 108 : 92) / 100);
    }
  }
  EXPECT_NEAR(static_cast<double>(restless.Estimate(64)), static_cast<double>(calm.Estimate(64)),
              0.03 * static_cast<double>(calm.Estimate(64)));
  EXPECT_LT(restless.PromptBudget(4, 90'000), calm.PromptBudget(4, 90'000));
  EXPECT_GT(restless.PromptBudget(4, 90'000), 30) << "but never much smaller ones";
  EXPECT_EQ(calm.EstimateHigh(64), calm.Estimate(64));
}

TEST(StepTimes, AnUnluckyNumberOfRowsDoesNotBarLargerOnes) {
  StepTimes times(512);
  const int64_t ms[] = {0, 23, 28, 42, 32, 48, 49, 51, 52};
  for (int rows = 1; rows <= 8; ++rows) times.Record(rows, ms[rows] * 1'000'000);
  EXPECT_EQ(times.Estimate(4), 32'000'000);
  EXPECT_EQ(times.PromptBudget(1, 41'000'000), 3);
  EXPECT_EQ(times.PromptBudget(1, 30'000'000), 1);
  EXPECT_EQ(times.PromptBudget(1, 51'000'000), 6);
}

TEST(StepTimes, AnyRowsFallIntoAClass) {
  StepTimes times(700);
  for (int rows = 1; rows <= 2000; ++rows) times.Record(rows, 1000 + rows);
  for (int rows = 1; rows <= 700; ++rows) EXPECT_GT(times.Estimate(rows), 0);
}

}  // namespace
}  // namespace trit::serve
