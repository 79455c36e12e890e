// What reports say: sides, histories, Markdown, CSV, tables. The page itself: browser_test.py.
#include "autotune/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "autotune/records/database.h"
#include "autotune/report/tables.h"
#include "runtime/records/journal.h"
#include "targets/base/error.h"
#include "tests/autotune/record_samples.h"
#include "tests/autotune/stats_samples.h"
#include "tests/report/balanced.h"

namespace trit {
namespace {

using testing::HasSubstr;
using testing::Not;

Record Shipped(int n, double ns, int run, const std::string& commit) {
  Random random(static_cast<uint64_t>(n * 1000 + run));
  Record r = SampleRecord("mad2 avx2 <mt>=1", ns, run);
  r.workload = {"matmul", "shipped", 1, n, 256};
  r.session = Join("s", run);
  r.commit = commit;
  r.samples_ns = NoisySamples(30, ns, 0.004, 0.02, &random);
  return r;
}

std::vector<Measurement> Written(const std::vector<Record>& records, const std::string& name) {
  const ScratchFolder folder(name);
  {
    Database database(folder.File("r.jsonl"), "0123456789abcdef");
    for (const Record& r : records) database.Append(r);
  }
  return ReadMeasurements(folder.File(""));
}

TEST(ReportTest, OneSetIsSplitIntoItsLastTwoBuildsThatShareAWorkload) {
  const auto report = BuildReport(
      {{"set",
        Written({Shipped(64, 1000, 1, "a"), Shipped(128, 2000, 1, "a"), Shipped(999, 500, 2, "b"),
                 Shipped(64, 1060, 3, "c"), Shipped(128, 2000, 3, "c")},
                "split")}},
      {});
  EXPECT_EQ(report->head.label, "commit c");
  EXPECT_EQ(report->base.label, "commit a");  // b shares nothing with c
  EXPECT_EQ(report->result.Count(Change::kSlower), 1);
  const std::string md = ReportMarkdown(*report);
  EXPECT_THAT(md, HasSubstr("0 faster, 1 slower, 1 the same within 2.0 %"));
  EXPECT_LT(md.find("| slower | matmul shipped m=1 n=64"), md.find("n=128"));
  const std::string csv = ReportCsv(*report);
  EXPECT_THAT(csv, HasSubstr("\"matmul shipped m=1 n=64 k=256 threads=2 cold\",slower,"));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
}

TEST(ReportTest, WithoutAnEarlierBuildThereIsNothingToCompare) {
  const auto report = BuildReport({{"set", Written({Shipped(64, 1000, 1, "a")}, "alone")}}, {});
  EXPECT_TRUE(report->result.workloads.empty());
  EXPECT_THAT(ReportMarkdown(*report), HasSubstr("nothing to compare with"));
  EXPECT_THAT(ReportPage(*report), HasSubstr("there is no earlier build"));
  ExpectBalanced(ReportPage(*report));
}

TEST(ReportTest, OtherHostsAreLeftOutAndCounted) {
  Record other = Shipped(64, 5000, 1, "a");
  other.host = SampleHost("99", 64);
  other.host_key = other.host.Key();
  const auto report = BuildReport({{"a", Written({other, Shipped(64, 1000, 2, "a")}, "hosts")},
                                   {"b", Written({Shipped(64, 1001, 3, "b")}, "hosts")}},
                                  {});
  EXPECT_EQ(report->other_hosts, 1);
  EXPECT_EQ(report->result.Count(Change::kSame), 1);
  EXPECT_THAT(ReportPage(*report), HasSubstr("1 records of other hosts are left out"));
}

TEST(ReportTest, PagesNeedNoNetworkAndNoScript) {
  std::vector<Record> records;
  for (int run = 0; run < 12; ++run) {
    records.push_back(Shipped(64, run < 6 ? 1000 : 1100, run, Join("c", run)));
  }
  const auto report = BuildReport({{"<set>", Written(records, "page")}}, {});
  ASSERT_EQ(report->histories.size(), 1u);
  ASSERT_EQ(report->histories[0].changes.size(), 1u);
  EXPECT_EQ(report->histories[0].changes[0].at, 6);
  const std::string page = ReportPage(*report);
  for (const char* outside : {"http:", "https:", "<script", "@import", "src=", "url(", "<mt>"}) {
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  }
  EXPECT_EQ(page.find("nan"), std::string::npos);
  ExpectBalanced(page);
}

TEST(ReportTest, ReadsGoogleBenchmark) {
  const ScratchFolder folder("gbreport");
  for (const char* side : {"a.json", "b.json"}) {
    std::ofstream(folder.File(side)) << R"({"context":{"date":"2026-11-21T03:16:41+00:00",
      "host_name":"<box>","num_cpus":2,"mhz_per_cpu":2600,"executable":"./perf"},"benchmarks":[
      {"name":"f/1","run_name":"f/1","real_time":1.5,"time_unit":"us","bytes_per_second":1e9},
      {"name":"f/1","run_name":"f/1","real_time":1.6,"time_unit":"us"}]})";
  }
  const auto report = BuildReport({{"a", ReadMeasurements(folder.File("a.json"))},
                                   {"b", ReadMeasurements(folder.File("b.json"))}},
                                  {});
  ASSERT_EQ(report->result.workloads.size(), 1u);
  EXPECT_EQ(report->all[0].time_s, 1795231001);
  EXPECT_EQ(report->all[0].bytes, 1500);
  EXPECT_THAT(ReportPage(*report), HasSubstr("&lt;box&gt;"));
  EXPECT_THROW(ReadMeasurements(folder.File("absent")), Error);
}

TEST(TablesTest, TheNewestRecordCountsAndTheReadmeKeepsTheRest) {
  const ScratchFolder folder("tables");
  std::filesystem::create_directories(folder.File("results/records"));
  {
    Database database(folder.File("results/records/r.jsonl"), "0123456789abcdef");
    database.Append(Shipped(64, 1000, 1, "old"));
    database.Append(Shipped(64, 500, 2, "new"));
    Record model = SampleRecord("lut3w", 1, 3);
    model.workload = {"model", "net 2 M tg64", 64, 0, 0};
    model.samples_ns = {2e9};
    model.bytes = 3.6e10, model.ops = 1e9;
    database.Append(model);
  }
  const std::string around = "# T\n<!-- results: begin -->\nold\n<!-- results: end -->\nrest\n";
  std::ofstream(folder.File("README.md")) << around;
  const auto files = ResultFiles(folder.File("results"));
  ASSERT_EQ(files.size(), 3u);
  const std::string& readme = files.at(folder.File("README.md"));
  EXPECT_THAT(readme, HasSubstr("| net 2 M tg64 | 2 | 32.0 | 50 % |  |"));
  EXPECT_THAT(readme, HasSubstr("| 64 x 256 | 1 | 2 | mad2 avx2 (shipped) | 0.5 |"));
  EXPECT_THAT(readme, Not(HasSubstr("| 1.0 |")));
  EXPECT_THAT(readme, HasSubstr("<!-- results: end -->\nrest\n"));
  EXPECT_EQ(WithResults(readme, ReadmeTables(ReadMeasurements(folder.File("results/records")))),
            readme);
  EXPECT_THROW(WithResults("# T\n", "x"), Error);
  EXPECT_THROW(WithResults(around + around, "x"), Error);
}

// The project's own tables and README say what its records say.
TEST(TablesTest, TheProjectsTablesAgreeWithItsRecords) {
  for (const auto& [path, text] : ResultFiles(TRIT_SOURCE_DIR "/results")) {
    EXPECT_EQ(ReadWholeFile(path), text)
        << path << ": write it again: tritforge report --results results";
  }
}

}  // namespace
}  // namespace trit
