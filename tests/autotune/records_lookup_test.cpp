#include <gtest/gtest.h>

#include "autotune/records/lookup.h"
#include "tests/autotune/record_samples.h"

namespace trit {
namespace {

LookupQuery SampleQuery() {
  LookupQuery query;
  const Record r = SampleRecord();
  query.workload = r.workload;
  query.threads = r.threads;
  query.toolchain = r.build.Toolchain();
  query.targets = {"avx512vbmi", "avx2", "ssse3"};
  query.host = r.host;
  return query;
}

Record From(const Host& host, const std::string& target, const std::string& candidate, double ns) {
  Record r = SampleRecord(candidate, ns);
  r.host = host;
  r.host_key = host.Key();
  r.target = target;
  return r;
}

TEST(LookupTest, ClimbsTheLadder) {
  const Host here = SampleHost(), bigger = SampleHost("17", 64), other = SampleHost("97", 16);
  std::vector<Record> records;
  EXPECT_EQ(Lookup(records, SampleQuery()).rung, Rung::kDefault);
  EXPECT_EQ(Lookup(records, SampleQuery()).candidate, "");

  records.push_back(From(other, "ssse3", "a", 100));
  EXPECT_EQ(Lookup(records, SampleQuery()).rung, Rung::kGeneric);
  records.push_back(From(other, "avx512vbmi", "b", 500));
  EXPECT_EQ(Lookup(records, SampleQuery()).rung, Rung::kIsa);
  EXPECT_EQ(Lookup(records, SampleQuery()).candidate, "b");
  records.push_back(From(bigger, "avx2", "c", 900));
  EXPECT_EQ(Lookup(records, SampleQuery()).rung, Rung::kMicroarchitecture);
  records.push_back(From(here, "avx2", "d", 1500));
  const LookupAnswer answer = Lookup(records, SampleQuery());
  EXPECT_EQ(answer.rung, Rung::kHost);  // the nearer rung wins although it is slower
  EXPECT_EQ(answer.candidate, "d");
  EXPECT_STREQ(RungName(answer.rung), "host");
  EXPECT_EQ(answer.newest->candidate, "d");
}

TEST(LookupTest, AnswersExactlyTheQuestion) {
  std::vector<Record> records(6, SampleRecord("wrong question", 1));
  records[0].workload.m = 2;
  records[1].threads = 1;
  records[2].mode = "hot";
  records[3].build.llvm = "18.1.0";
  records[4].target = "avx512amx";
  records[5].host.arch = "aarch64";
  EXPECT_EQ(Lookup(records, SampleQuery()).rung, Rung::kDefault);
}

TEST(LookupTest, PoolsSamplesAndPrefersTheFastest) {
  std::vector<Record> records{SampleRecord("x", 1000), SampleRecord("y", 900),
                              SampleRecord("y", 1300)};
  records[1].samples_ns = {900};
  records[2].samples_ns = {1300, 1310, 1320};
  const LookupAnswer answer = Lookup(records, SampleQuery());
  EXPECT_EQ(answer.candidate, "x");  // y's lucky sample does not stand against its three others
  EXPECT_EQ(answer.median_ns, 1000);
}

TEST(LookupTest, WrongSumsBanACandidateForGood) {
  std::vector<Record> records{SampleRecord("fast", 10), SampleRecord("slow", 1000),
                              SampleRecord("fast", 10)};
  records[2].status = CheckStatus::kWrong;
  records[2].detail = "y[0, 3] = 5, not 6";
  records[2].samples_ns.clear();
  records[2].workload.n = 64;  // shown on another shape
  EXPECT_EQ(Lookup(records, SampleQuery()).candidate, "slow");
  records[2].status = CheckStatus::kCrash;
  EXPECT_EQ(Lookup(records, SampleQuery()).candidate, "fast");
}

}  // namespace
}  // namespace trit
