#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "autotune/stats/random.h"
#include "runtime/records/line.h"
#include "targets/base/error.h"
#include "tests/autotune/record_samples.h"

namespace trit {
namespace {

using testing::HasSubstr;

TEST(RecordTest, RoundTrips) {
  const Record r = SampleRecord();
  const std::string json = RecordToJson(r);
  const Record back = RecordFromJson(json);
  EXPECT_EQ(RecordToJson(back), json);
  EXPECT_EQ(back.workload, r.workload);
  EXPECT_EQ(back.samples_ns, r.samples_ns);
  EXPECT_EQ(back.MedianNs(), 1000);
  EXPECT_EQ(json.find('\n'), std::string::npos);
}

TEST(RecordTest, FractionOfRoofIsOfTheNearerRoof) {
  Record r = SampleRecord();
  r.samples_ns = {200000};
  // 4.42 MB in 200 us = 22.1 GB/s of 36; 17.7 M in 200 us = 88 G/s of 400.
  EXPECT_NEAR(r.FractionOfRoof(), 22.1184 / 36, 1e-6);
  r.status = CheckStatus::kWrong;
  EXPECT_EQ(r.FractionOfRoof(), 0);
  EXPECT_TRUE(std::isinf(r.MedianNs()));
}

TEST(RecordTest, IsRefusedWithoutAnyPartOfItsIdentity) {
  const auto refused = [](auto&& spoil, const std::string& why) {
    Record r = SampleRecord();
    spoil(&r);
    try {
      RecordToJson(r);
      ADD_FAILURE() << "written without: " << why;
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr(why));
    }
  };
  refused([](Record* r) { r->candidate.clear(); }, "candidate");
  refused([](Record* r) { r->target.clear(); }, "target");
  refused([](Record* r) { r->session.clear(); }, "session");
  refused([](Record* r) { r->signature.clear(); }, "signature");
  refused([](Record* r) { r->build.git.clear(); }, "git");
  refused([](Record* r) { r->build.halide.clear(); }, "Halide");
  refused([](Record* r) { r->build.llvm.clear(); }, "LLVM");
  refused([](Record* r) { r->build.compiler.clear(); }, "compiler");
  refused([](Record* r) { r->host.cpu.clear(); }, "CPU name");
  refused([](Record* r) { r->host_key = "0"; }, "host key");
  refused([](Record* r) { r->host.cores = 7; }, "host key");
  refused([](Record* r) { r->mode = "warm"; }, "cold nor hot");
  refused([](Record* r) { r->threads = 0; }, "thread");
  refused([](Record* r) { r->time_s = 0; }, "when");
  refused([](Record* r) { r->workload.k = 0; }, "m, n and k");
  refused([](Record* r) { r->samples_ns.clear(); }, "no samples");
  refused([](Record* r) { r->samples_ns = {1, -1}; }, "positive");
  refused([](Record* r) { r->samples_ns = {std::nan("")}; }, "positive");
  refused([](Record* r) { r->bytes = std::numeric_limits<double>::infinity(); }, "finite");
  refused([](Record* r) { r->status = CheckStatus::kCrash; }, "how");
}

TEST(RecordTest, FailuresAreRecordsToo) {
  Record r = SampleRecord();
  r.samples_ns.clear();
  r.status = CheckStatus::kCrash;
  r.detail = "SIGILL";
  const Record back = RecordFromJson(RecordToJson(r));
  EXPECT_EQ(back.status, CheckStatus::kCrash);
  EXPECT_EQ(back.detail, "SIGILL");
}

TEST(RecordTest, OtherVersionsAndWrongTypesAreNamed) {
  std::string json = RecordToJson(SampleRecord());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = json;
    changed.replace(changed.find(from), from.size(), to);
    return changed;
  };
  EXPECT_THAT([&] { RecordFromJson(with("\"v\":1", "\"v\":2")); },
              testing::ThrowsMessage<Error>(HasSubstr("version 2")));
  EXPECT_THAT([&] { RecordFromJson(with("\"threads\":2", "\"threads\":\"2\"")); },
              testing::ThrowsMessage<Error>(HasSubstr("threads")));
  EXPECT_THAT([&] { RecordFromJson(with("\"m\":1", "\"m\":18446744073709551615")); },
              testing::ThrowsMessage<Error>(HasSubstr("\"m\"")));
  EXPECT_THAT([&] { RecordFromJson(with("\"status\":\"ok\"", "\"status\":\"fine\"")); },
              testing::ThrowsMessage<Error>(HasSubstr("\"fine\" is unknown")));
  EXPECT_THROW(RecordFromJson("[]"), Error);
  EXPECT_THROW(RecordFromJson(std::string(200000, '[')), Error);
}

TEST(LineTest, AnyChangeOfABitIsSeen) {
  const std::string line = SealLine(RecordToJson(SampleRecord()));
  ASSERT_TRUE(OpenLine(line));
  EXPECT_EQ(*OpenLine(line), RecordToJson(SampleRecord()));
  for (size_t i = 0; i < line.size(); ++i) {
    for (int bit : {0, 3, 6}) {
      std::string changed = line;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      EXPECT_FALSE(OpenLine(changed)) << i;
    }
  }
  for (size_t length = 0; length < line.size(); ++length) {
    EXPECT_FALSE(OpenLine(std::string_view(line).substr(0, length)));
  }
}

TEST(LineTest, RefusesWhatIsNoObject) {
  EXPECT_THROW(SealLine("{}"), Error);
  EXPECT_THROW(SealLine("{\"a\":\n1}"), Error);
  EXPECT_THROW(SealLine("{\"a\":\"" + std::string(kMaxLineBytes, 'x') + "\"}"), Error);
}

// Random damage to the JSON itself (behind the checksum) never does worse than an Error.
TEST(RecordTest, HostileJsonIsRefusedNotFatal) {
  const std::string json = RecordToJson(SampleRecord());
  Random random(99);
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string changed = json;
    for (size_t edits = 1 + random.Below(4); edits > 0; --edits) {
      const size_t at = random.Below(changed.size());
      switch (random.Below(3)) {
        case 0:
          changed[at] = static_cast<char>(random.Below(256));
          break;
        case 1:
          changed.erase(at, 1 + random.Below(8));
          break;
        default:
          changed.insert(at, 1, "0123456789{}[]\",:-e."[random.Below(20)]);
      }
    }
    try {
      RecordFromJson(changed);
      ++accepted;
    } catch (const Error&) {
    }
  }
  EXPECT_LT(accepted, 10000);
}

}  // namespace
}  // namespace trit
