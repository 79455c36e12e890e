// The program itself: tune end to end on a small shape, db, compare and report, exit codes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "autotune/records/database.h"
#include "targets/base/error.h"
#include "tests/autotune/record_samples.h"
#include "tests/autotune/stats_samples.h"
#include "tests/kit/shell.h"

namespace trit {
namespace {

using testing::HasSubstr;

Ran Tritforge(const std::string& arguments, const std::string& environment = "") {
  return Shell(Join(environment, " ", TRIT_BINARY_DIR, "/bin/tritforge ", arguments));
}

TEST(TuneCommand, TunesLandsALibraryAndMeasuresNothingTheSecondTime) {
  const ScratchFolder home("tunehome");
  const std::string env = Join("HOME=", home.File(""), " XDG_CACHE_HOME=", home.File("cache"),
                               " XDG_DATA_HOME=", home.File("data"));
  const std::string line = "tune --shapes 512x640 --tokens 1,8 --threads 1 --budget 30s --quiet";
  const Ran first = Tritforge(line, env);
  ASSERT_EQ(first.code, 0) << first.out;
  EXPECT_THAT(first.out, HasSubstr("512x640"));
  EXPECT_THAT(first.out, HasSubstr("measurements in"));
  const Ran second = Tritforge(line, env);
  ASSERT_EQ(second.code, 0) << second.out;
  EXPECT_THAT(second.out, HasSubstr("Nothing new was measured"));
  EXPECT_LT(second.seconds, 20);  // under 2 s on an idle machine
  const Ran json = Tritforge(line + " --json", env);
  EXPECT_THAT(json.out, HasSubstr("\"tritforge_tuned\": 1"));

  const Ran verify = Tritforge("db verify", env);
  EXPECT_EQ(verify.code, 0) << verify.out;
  const Ran list = Tritforge("db list", env);
  EXPECT_THAT(list.out, HasSubstr("matmul m=1 n=512 k=640 threads=1 cold"));
  const Ran best = Tritforge("db best 512x640,64x64 --tokens 1 --threads 1", env);
  EXPECT_EQ(best.code, 0) << best.out;
  EXPECT_THAT(best.out, HasSubstr("(rung host)"));
  EXPECT_THAT(best.out, HasSubstr("n=64 k=64 threads=1 cold: nothing was measured"));
  EXPECT_EQ(Tritforge(Join("db export ", home.File("x")), env).code, 0);
  const Ran import =
      Tritforge(Join("db --db ", home.File("other"), " import ", home.File("x")), env);
  EXPECT_EQ(import.code, 0) << import.out;
  EXPECT_THAT(import.out, HasSubstr("records added"));
  const Ran report = Tritforge(Join("report --tuning -o ", home.File("page.html")), env);
  EXPECT_EQ(report.code, 0) << report.out;
  EXPECT_THAT(ReadWholeFile(home.File("page.html")), HasSubstr("512 x 640"));
}

TEST(TuneCommand, RefusesNonsenseWithASentence) {
  for (const char* bad :
       {"tune --budget soon", "tune --shapes 3x", "tune --tokens 8,1", "tune --target z80",
        "tune -m /nonexistent.gguf", "tune --strategy luck --shapes 64x64 --budget 2s",
        "tune --target x86_64 --shapes 64x64 --budget 1s",  // would replace better kernels
        "landscape --family mad2 --pin dot=octet -o l", "landscape --replay /nonexistent"}) {
    const ScratchFolder home("nonsense");
    const Ran ran = Tritforge(bad, Join("HOME=", home.File(""), " XDG_DATA_HOME=", home.File("d"),
                                        " XDG_CACHE_HOME=", home.File("c")));
    EXPECT_NE(ran.code, 0) << bad;
    EXPECT_LT(ran.code, 100) << bad << ran.out;
    EXPECT_FALSE(ran.out.empty()) << bad;
  }
}

void WriteRecords(const std::string& path, double slowdown) {
  Random random(17);
  Database database(path, "0123456789abcdef");
  for (int w = 1; w <= 6; ++w) {
    Record r = SampleRecord("a", 1000, w);
    r.workload.n = 64 * w;
    r.samples_ns = NoisySamples(40, 1000.0 * w * (w == 2 ? slowdown : 1), 0.005, 0.05, &random);
    r.reference_ns.clear();
    database.Append(r);
  }
}

TEST(CompareCommand, ExitCodesGate) {
  const ScratchFolder folder("comparecli");
  WriteRecords(folder.File("a"), 1);
  WriteRecords(folder.File("same"), 1.004);
  WriteRecords(folder.File("slow"), 1.05);
  const auto compare = [&](const std::string& b, const std::string& options = "") {
    return Tritforge(Join("compare ", folder.File("a"), " ", folder.File(b), " ", options));
  };
  EXPECT_EQ(compare("same").code, 0) << compare("same").out;
  const Ran slow = compare("slow");
  EXPECT_EQ(slow.code, 1) << slow.out;
  EXPECT_THAT(slow.out, HasSubstr("slower matmul m=1 n=128 "));
  EXPECT_THAT(slow.out, HasSubstr("1 slower"));
  EXPECT_EQ(compare("slow", "--threshold 0.1").code, 0);
  EXPECT_THAT(compare("slow", "--format md").out, HasSubstr("| slower | matmul m=1 n=128"));
  std::ofstream(folder.File("junk")) << "junk";
  EXPECT_EQ(compare("junk").code, 2);
  EXPECT_EQ(Tritforge("compare /nonexistent /nonexistent").code, 2);
}

TEST(DbCommand, FailsOnDamageAndPrunes) {
  const ScratchFolder folder("dbcli");
  const std::string db = Join("db --db ", folder.File("r"));
  WriteRecords(folder.File("r"), 1);
  EXPECT_EQ(Tritforge(Join(db, " verify")).code, 0);
  std::ofstream(folder.File("r"), std::ios::app) << "{\"v\":1}\n";
  const Ran damaged = Tritforge(Join(db, " verify"));
  EXPECT_EQ(damaged.code, 1);
  EXPECT_THAT(damaged.out, HasSubstr("line 7"));
  EXPECT_EQ(Tritforge(Join(db, " prune")).code, 0);
  EXPECT_EQ(Tritforge(Join(db, " verify")).code, 0);
  EXPECT_EQ(Tritforge(Join(db, " show nothing-holds-this")).code, 1);
  const Ran merged = Tritforge(
      Join("db merge ", folder.File("r"), " ", folder.File("r"), " -o ", folder.File("m")));
  EXPECT_EQ(merged.code, 0) << merged.out;
  EXPECT_THAT(merged.out, HasSubstr("6 records"));
}

}  // namespace
}  // namespace trit
