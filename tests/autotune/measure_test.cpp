#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "autotune/measure/process.h"
#include "autotune/measure/rounds.h"
#include "autotune/stats/robust.h"
#include "targets/base/error.h"
#include "tests/autotune/stats_samples.h"

namespace trit {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

const std::vector<std::string> kChild{TRIT_BINARY_DIR "/bin/autotune_planted_child"};

Json LoadRequest(const std::string& candidate) {
  return {{"do", "load"}, {"candidate", candidate}};
}
Json SetupRequest(int id, int m = 1) {
  return {{"do", "setup"},   {"id", id},     {"m", m},         {"n", 64},
          {"k", 256},        {"threads", 1}, {"mode", "cold"}, {"cold_bytes", 1 << 20},
          {"sample_ms", 0.5}};
}

TEST(ChildTest, MeasuresARightKernel) {
  CandidateProcess child(kChild);
  const Json loaded = child.Ask(LoadRequest("planted right work=1"), 60);
  ASSERT_EQ(StatusOfAnswer(loaded), CheckStatus::kOk) << loaded;
  EXPECT_EQ(loaded["layout"], "plain.v1");
  ASSERT_EQ(StatusOfAnswer(child.Ask(SetupRequest(3), 60)), CheckStatus::kOk);
  const Json sample = child.Ask({{"do", "sample"}, {"id", 3}, {"count", 4}}, 60);
  ASSERT_EQ(sample["ns"].size(), 4u);
  for (const Json& ns : sample["ns"]) EXPECT_GT(ns.get<double>(), 0);
  const Json sliced = child.Ask(
      {{"do", "sample"}, {"id", 3}, {"count", 2}, {"n_per_task", 16}, {"m_per_task", 1}}, 60);
  EXPECT_EQ(sliced["ns"].size(), 2u);
  EXPECT_EQ(StatusOfAnswer(child.Ask({{"do", "drop"}, {"id", 3}}, 60)), CheckStatus::kOk);
  const Json gone = child.Ask({{"do", "sample"}, {"id", 3}, {"count", 1}}, 60);
  EXPECT_EQ(StatusOfAnswer(gone), CheckStatus::kRefused);
}

TEST(ChildTest, FaultsCostOnlyThemselvesAndAreNamed) {
  const struct {
    const char* what;
    CheckStatus status;
    const char* detail;
  } cases[] = {
      {"sigill", CheckStatus::kCrash, "SIGILL"}, {"sigsegv", CheckStatus::kCrash, "SIGSEGV"},
      {"hang", CheckStatus::kHang, "within"},    {"wrong", CheckStatus::kWrong, "y[0,0]"},
      {"wrong-long", CheckStatus::kWrong, "k="}, {"refuse", CheckStatus::kCompileFailed, "compile"},
      {"exit", CheckStatus::kCrash, "code 7"},
  };
  for (const auto& c : cases) {
    CandidateProcess child(kChild);
    const double limit = c.status == CheckStatus::kHang ? 0.5 : 60;
    const Json answer = child.Ask(LoadRequest(Join("planted ", std::string_view(c.what))), limit);
    EXPECT_EQ(StatusOfAnswer(answer), c.status) << c.what << " " << answer;
    EXPECT_THAT(answer.value("detail", ""), HasSubstr(c.detail)) << c.what;
    if (c.status == CheckStatus::kCrash || c.status == CheckStatus::kHang) {
      EXPECT_TRUE(child.dead());
      EXPECT_EQ(StatusOfAnswer(child.Ask(SetupRequest(1), 1)), c.status);  // and stays so
    }
  }
}

TEST(ChildTest, SeveralAtOnceAnswerEachForItself) {
  CandidateProcess right(kChild), ill(kChild), hang(kChild), wrong(kChild);
  right.Send(LoadRequest("planted right"), 60);
  ill.Send(LoadRequest("planted sigill"), 60);
  hang.Send(LoadRequest("planted hang"), 0.5);
  wrong.Send(LoadRequest("planted wrong"), 60);
  const auto answers = Gather({&right, &ill, &hang, &wrong});
  EXPECT_EQ(StatusOfAnswer(answers[0]), CheckStatus::kOk);
  EXPECT_EQ(StatusOfAnswer(answers[1]), CheckStatus::kCrash);
  EXPECT_EQ(StatusOfAnswer(answers[2]), CheckStatus::kHang);
  EXPECT_EQ(StatusOfAnswer(answers[3]), CheckStatus::kWrong);
}

TEST(ChildTest, AProgramThatIsNotThereOrTalksNonsenseIsAFault) {
  CandidateProcess absent({"/nonexistent/program"});
  EXPECT_EQ(StatusOfAnswer(absent.Ask(LoadRequest("x"), 10)), CheckStatus::kCrash);
  CandidateProcess chatter({"/bin/sh", "-c", "echo hello; echo '{\"ok\":3}'; sleep 60"});
  EXPECT_EQ(StatusOfAnswer(chatter.Ask(LoadRequest("x"), 0.3)), CheckStatus::kHang);
  CandidateProcess flood({"/bin/sh", "-c", "yes | tr -d '\\n'"});
  EXPECT_EQ(StatusOfAnswer(flood.Ask(LoadRequest("x"), 60)), CheckStatus::kHang);
}

// A synthetic machine for the rounds: time passes with every sample.
struct Machine {
  std::vector<double> true_ns = {};
  double reference_ns = 100;
  std::function<double(int sample)> speed = [](int) { return 1.0; };
  Random random{5};
  int samples = 0;
  std::vector<int> order = {};

  Sampler Sample() {
    return [this](int job) -> std::optional<double> {
      const double slow = speed(samples++);
      if (job != kReferenceJob) order.push_back(job);
      const double ns = job == kReferenceJob ? reference_ns : true_ns[static_cast<size_t>(job)];
      return slow * ns * (1 + 0.005 * std::fabs(random.Normal()));
    };
  }
};

TEST(RoundsTest, GivesEveryJobItsRoundsInChangingOrder) {
  Machine machine{.true_ns = {10, 20, 30}};
  ReferenceLevel level;
  const RoundsResult result = MeasureRounds({4, 2, 4}, machine.Sample(), &level, {});
  EXPECT_EQ(result.jobs[0].ns.size(), 4u);
  EXPECT_EQ(result.jobs[1].ns.size(), 2u);
  EXPECT_EQ(result.jobs[2].ns.size(), 4u);
  EXPECT_EQ(result.discarded, 0);
  EXPECT_NE(std::vector<int>(machine.order.begin(), machine.order.begin() + 3),
            std::vector<int>(machine.order.begin() + 3, machine.order.begin() + 6));
  EXPECT_NEAR(level.Calm(), 100.5, 1);
}

TEST(RoundsTest, DisturbedRoundsAreDiscardedAndRepeated) {
  Machine machine{.true_ns = {50, 60}};
  // Four samples a round: rounds 5 and 6 run at half speed.
  machine.speed = [](int sample) { return sample >= 20 && sample < 28 ? 2.0 : 1.0; };
  ReferenceLevel level;
  const RoundsResult result = MeasureRounds({10, 10}, machine.Sample(), &level, {});
  EXPECT_EQ(result.discarded, 2);
  EXPECT_EQ(result.kept_disturbed, 0);
  ASSERT_EQ(result.jobs[0].ns.size(), 10u);
  for (double ns : result.jobs[0].ns) EXPECT_LT(ns, 55);
}

TEST(RoundsTest, AMachineThatSlowsDownForGoodIsCorrectedByTheReference) {
  Machine machine{.true_ns = {50, 60}};
  machine.speed = [](int sample) { return sample >= 40 ? 1.5 : 1.0; };
  ReferenceLevel level;
  const RoundsResult result = MeasureRounds({20, 20}, machine.Sample(), &level, {});
  EXPECT_GT(result.kept_disturbed, 0);
  EXPECT_EQ(result.jobs[0].ns.size(), 20u);
  const double ratio = Median(result.jobs[0].Corrected(level.Calm())) /
                       Median(result.jobs[1].Corrected(level.Calm()));
  EXPECT_NEAR(ratio, 50.0 / 60, 0.01);
}

TEST(RoundsTest, AFailingJobIsNotAskedAgainAndStopEnds) {
  int asked = 0;
  const Sampler sampler = [&](int job) -> std::optional<double> {
    if (job == 1) return ++asked, std::optional<double>();
    return 10.0;
  };
  ReferenceLevel level;
  const RoundsResult result = MeasureRounds({3, 3}, sampler, &level, {});
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(result.jobs[1].failed);
  EXPECT_EQ(result.jobs[0].ns.size(), 3u);
  int rounds = 0;
  RoundsOptions options;
  options.stop = [&] { return ++rounds > 2; };
  EXPECT_TRUE(MeasureRounds({9}, sampler, &level, options).stopped);
}

}  // namespace
}  // namespace trit
