#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "autotune/records/exchange.h"
#include "runtime/records/journal.h"
#include "runtime/records/line.h"
#include "targets/base/error.h"
#include "tests/autotune/record_samples.h"

namespace trit {
namespace {

constexpr const char* kSignature = "0123456789abcdef";
const RecordFilter kAll = [](const Record&) { return true; };

void Fill(Database* database, int first, int count) {
  for (int i = first; i < first + count; ++i) {
    database->Append(SampleRecord("mad2 avx2 mt=" + std::to_string(i), 1000 + i, i));
  }
}

TEST(ExchangeTest, CarriesWisdomBetweenMachines) {
  const ScratchFolder folder("exchange");
  Database a(folder.File("a"), kSignature), b(folder.File("b"), kSignature);
  Fill(&a, 1, 6);
  Fill(&b, 5, 4);
  EXPECT_EQ(ExportRecords(a, folder.File("out"), kAll), 6);
  const ImportResult result = ImportRecords(&b, folder.File("out"));
  EXPECT_EQ(result.added, 4);
  EXPECT_EQ(result.known, 2);
  EXPECT_EQ(b.records().size(), 8u);
  EXPECT_EQ(ImportRecords(&b, folder.File("out")).added, 0);
  EXPECT_EQ(ExportRecords(a, folder.File("some"), [](const Record& r) { return r.sequence == 2; }),
            1);
}

TEST(ExchangeTest, ImportsAllOrNothing) {
  const ScratchFolder folder("allornothing");
  Database a(folder.File("a"), kSignature), b(folder.File("b"), kSignature);
  Fill(&a, 1, 4);
  Fill(&b, 50, 1);
  ExportRecords(a, folder.File("out"), kAll);
  const std::string good = ReadWholeFile(folder.File("out"));
  const auto refused = [&](const std::string& text, const std::string& why) {
    WriteFileAtomically(folder.File("bad"), text);
    EXPECT_THAT([&] { ImportRecords(&b, folder.File("bad")); },
                testing::ThrowsMessage<Error>(testing::HasSubstr(why)));
    EXPECT_EQ(Database(folder.File("b"), kSignature).records().size(), 1u);
  };
  refused("", "no export");
  refused(good.substr(good.find('\n') + 1), "no export");
  for (size_t cut = good.find('\n') + 1; cut < good.size(); cut += 97) {
    refused(good.substr(0, cut), "cut or was changed");
  }
  std::string changed = good;
  changed[good.size() / 2] ^= 1;
  refused(changed, "changed");
  EXPECT_THROW(ImportRecords(&b, folder.File("absent")), Error);

  Database other(folder.File("other"), "ffffffffffffffff");
  EXPECT_THAT([&] { ImportRecords(&other, folder.File("out")); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("signature")));
}

TEST(MergeTest, IsCommutativeAssociativeAndIdempotent) {
  const ScratchFolder folder("merge");
  const auto file = [&](const char* name) { return folder.File(name); };
  Database a(file("a"), kSignature), b(file("b"), kSignature), c(file("c"), "ffffffffffffffff");
  Fill(&a, 1, 5);
  Fill(&b, 4, 5);
  Fill(&c, 20, 2);
  MergeFiles({file("a"), file("b"), file("c")}, file("abc"));
  MergeFiles({file("c"), file("b"), file("a")}, file("cba"));
  MergeFiles({file("a"), file("b")}, file("ab"));
  MergeFiles({file("ab"), file("c"), file("a")}, file("nested"));
  const std::string merged = ReadWholeFile(file("abc"));
  EXPECT_EQ(merged, ReadWholeFile(file("cba")));
  EXPECT_EQ(merged, ReadWholeFile(file("nested")));
  const MergeResult again = MergeFiles({file("abc"), file("abc")}, file("abc"));
  EXPECT_EQ(merged, ReadWholeFile(file("abc")));
  EXPECT_EQ(again.records, 10);  // 1..8 and two of another signature
}

TEST(MergeTest, LeavesDamagedLinesOutAndReadsExports) {
  const ScratchFolder folder("mergedamage");
  Database a(folder.File("a"), kSignature);
  Fill(&a, 1, 3);
  ExportRecords(a, folder.File("export"), kAll);
  std::ofstream(folder.File("a"), std::ios::app) << "{\"v\":1,\"half";
  const MergeResult result =
      MergeFiles({folder.File("a"), folder.File("export")}, folder.File("out"));
  EXPECT_EQ(result.records, 3);
  EXPECT_EQ(result.duplicates, 3);
  EXPECT_EQ(result.damaged, 1);
  EXPECT_THROW(MergeFiles({folder.File("absent")}, folder.File("out")), Error);
}

TEST(PruneTest, DropsWhatItIsTold) {
  const ScratchFolder folder("prune");
  Database a(folder.File("a"), kSignature);
  Fill(&a, 1, 9);
  const PruneResult result = PruneRecords(&a, [](const Record& r) { return r.sequence % 3 == 0; });
  EXPECT_EQ(result.dropped, 3);
  EXPECT_EQ(result.kept, 6);
  Fill(&a, 100, 1);  // the database goes on in the new file
  EXPECT_EQ(Database(folder.File("a"), kSignature).records().size(), 7u);
}

}  // namespace
}  // namespace trit
