#include "autotune/compare/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "autotune/compare/live.h"
#include "autotune/compare/measurements.h"
#include "autotune/records/database.h"
#include "targets/base/error.h"
#include "tests/autotune/record_samples.h"
#include "tests/autotune/stats_samples.h"

namespace trit {
namespace {

using testing::HasSubstr;

// Twelve workloads; in each block the machine is slowed by something that hits both sides.
void Measure(uint64_t seed, double slowdown_of_third, SampleSet* a, SampleSet* b) {
  Random random(seed);
  for (int w = 0; w < 12; ++w) {
    const std::string name = Join("matmul m=1 n=", 64 * (w + 1), " k=256 threads=1 cold");
    for (int block = 0; block < 36; ++block) {
      const double busy = 1 + (random.Uniform() < 0.3 ? random.Uniform() : 0) + 0.01 * block;
      const auto sample = [&](double ns) {
        return busy * (NoisySample(ns, 0.01, 0.03, &random) + NoisySample(ns, 0.01, 0.03, &random));
      };
      (*a)[name].ns.push_back(sample(1000.0 * (w + 1)));
      (*b)[name].ns.push_back(sample(1000.0 * (w + 1) * (w == 3 ? slowdown_of_third : 1)));
    }
  }
}

TEST(CompareTest, TwentyComparisonsOfTheSameRaiseNoAlarm) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SampleSet a, b;
    Measure(seed, 1.0, &a, &b);
    const CompareResult result = CompareSets(a, b, true, {});
    EXPECT_EQ(result.Count(Change::kSlower), 0) << seed;
    EXPECT_EQ(result.Count(Change::kFaster), 0) << seed;
  }
}

TEST(CompareTest, AFivePercentSlowdownIsFoundAndAlone) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SampleSet a, b;
    Measure(seed, 1.05, &a, &b);
    const CompareResult result = CompareSets(a, b, true, {});
    ASSERT_EQ(result.Count(Change::kSlower), 1) << seed << CompareText(result, {});
    for (const WorkloadComparison& w : result.workloads) {
      if (w.change != Change::kSlower) continue;
      EXPECT_THAT(w.workload, HasSubstr("n=256 "));
      EXPECT_TRUE(w.ratio.Contains(1.05)) << w.ratio.low << " " << w.ratio.high;
    }
    const CompareResult mirrored = CompareSets(b, a, true, {});
    EXPECT_EQ(mirrored.Count(Change::kFaster), 1);
    EXPECT_EQ(mirrored.Count(Change::kSlower), 0);
  }
}

TEST(CompareTest, TellsWhatIsOnOneSideOnly) {
  SampleSet a, b;
  Measure(1, 1, &a, &b);
  a["gone"].ns = {1, 2, 3};
  b["new"].ns = {1, 2, 3};
  const CompareResult result = CompareSets(a, b, true, {});
  EXPECT_EQ(result.only_a, std::vector<std::string>{"gone"});
  EXPECT_EQ(result.only_b, std::vector<std::string>{"new"});
  EXPECT_THAT(CompareMarkdown(result, {}), HasSubstr("| only in B | new |"));
  EXPECT_THAT(CompareCsv(result), HasSubstr("workload,change,median_a_ns"));
}

TEST(CompareTest, FewSamplesAreUnsureNotTheSame) {
  SampleSet a, b;
  a["x"].ns = {100, 140, 90};
  b["x"].ns = {110, 150, 95};
  EXPECT_EQ(CompareSets(a, b, false, {}).workloads[0].change, Change::kUnsure);
}

SampleSet Read(const std::string& path) {
  return BestOfEach(ReadMeasurements(path));
}

TEST(SampleSetTest, ReadsRecordsAndGoogleBenchmark) {
  const ScratchFolder folder("sampleset");
  {
    Database database(folder.File("records"), "0123456789abcdef");
    database.Append(SampleRecord("a", 1000, 1));
    database.Append(SampleRecord("a", 1000, 2));
  }
  const SampleSet records = Read(folder.File("records"));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records.begin()->first, "matmul m=1 n=2560 k=6912 threads=2 cold");
  EXPECT_EQ(records.begin()->second.ns.size(), 6u);

  std::ofstream(folder.File("gb")) << R"({"context":{},"benchmarks":[
    {"name":"f/1","run_name":"f/1","run_type":"iteration","real_time":1.5,"time_unit":"us"},
    {"name":"f/1","run_name":"f/1","run_type":"iteration","real_time":2.5,"time_unit":"us"},
    {"name":"f/1_mean","run_name":"f/1","run_type":"aggregate","real_time":2,"time_unit":"us"}]})";
  const SampleSet benchmark = Read(folder.File("gb"));
  EXPECT_EQ(benchmark.at("f/1").ns, (std::vector<double>{1500, 2500}));

  std::ofstream(folder.File("junk")) << "hello";
  EXPECT_THAT([&] { Read(folder.File("junk")); },
              testing::ThrowsMessage<Error>(HasSubstr("neither")));
  EXPECT_THROW(Read(folder.File("absent")), Error);
}

// Real processes: the same kernel on both sides, then one that does its work twice.
TEST(LiveTest, MeasuresBlocksAndNamesFaults) {
  LivePlan plan;
  plan.items = {{1, 64, 512, 1}};
  plan.budget_s = 20;
  plan.max_blocks = 8;
  plan.sample_ms = 0.5;
  plan.a = plan.b = {{TRIT_BINARY_DIR "/bin/autotune_planted_child"}, ""};
  const LiveResult result = MeasureLive(plan);
  // The planted child reads "shipped 64 512 1 1" as a right kernel.
  ASSERT_TRUE(result.faults.empty()) << result.faults.front();
  ASSERT_EQ(result.a.size(), 1u);
  EXPECT_EQ(result.a.begin()->second.ns.size(), result.b.begin()->second.ns.size());
  EXPECT_GE(result.a.begin()->second.ns.size(), 2u);
  plan.b.child_command = {"/nonexistent"};
  EXPECT_EQ(MeasureLive(plan).faults.size(), 1u);
}

}  // namespace
}  // namespace trit
