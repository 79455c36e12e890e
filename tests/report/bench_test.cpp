// Both bench commands append whole records that comparisons read; two libraries are compared within
// the budget and by exit code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "autotune/compare/measurements.h"
#include "autotune/records/database.h"
#include "runtime/host/host.h"
#include "targets/base/error.h"
#include "targets/features.h"
#include "tests/autotune/record_samples.h"
#include "tests/kit/shell.h"

namespace trit {
namespace {

using testing::HasSubstr;

Ran Program(const std::string& line) {
  return Shell(Join(TRIT_BINARY_DIR, "/bin/", line));
}

TEST(BenchRecords, BothProgramsAppendToOneFileOfThisHost) {
  const ScratchFolder folder("benchrecords");
  const Ran kernels = Program(Join("tritforge bench --shapes 64x512 --m 1,8 --samples 4 --hot ",
                                   "--shipped --record ", folder.File("r")));
  ASSERT_EQ(kernels.code, 0) << kernels.out;
  const Ran model =
      Program(Join("trit bench -p 8 -n 4 -r 3 -t 1 --no-roofs --record ", folder.File("r")));
  ASSERT_EQ(model.code, 0) << model.out;
  const Ran again = Program(Join("tritforge bench --shapes 64x512 --m 1 --samples 4 --hot ",
                                 "--record ", folder.File("r")));
  ASSERT_EQ(again.code, 0) << again.out;

  const auto all = ReadMeasurements(folder.File("r"));
  ASSERT_GE(all.size(), 5u);
  EXPECT_EQ(all[0].workload, "matmul shipped m=1 n=64 k=512 threads=1 hot");
  EXPECT_EQ(all[0].ns.size(), 4u);
  EXPECT_GT(all[0].bytes, 64 * 512 / 8);
  EXPECT_EQ(all[0].ops, 64 * 512);
  EXPECT_FALSE(all[0].candidate.empty());
  EXPECT_EQ(all[2].suite, "model");
  EXPECT_EQ(all[2].tokens, 8);
  EXPECT_EQ(all[2].ns.size(), 3u);
  EXPECT_THAT(all[2].name, HasSubstr("pp8"));
  EXPECT_THAT(all[3].name, HasSubstr("tg4"));
  EXPECT_EQ(all[0].session, all[1].session);
  EXPECT_NE(all[0].session, all[2].session);
  EXPECT_THAT(all[4].workload, HasSubstr(all[4].target));  // a family's name and its target
  for (const Measurement& m : all) EXPECT_EQ(m.host_key, ThisHost().Key());

  // One file, every line sealed.
  const auto file = std::filesystem::directory_iterator(folder.File("r"))->path().string();
  const ParsedRecords parsed = ParseRecords(Journal(file, false).Read(), "");
  EXPECT_EQ(parsed.records.size(), all.size());
  EXPECT_TRUE(parsed.faults.damaged.empty());
  EXPECT_EQ(Program(Join("tritforge bench --shapes 64x512 --m 1 --samples 2 --hot --record ",
                         "/proc/nothing"))
                .code,
            1);
}

// Real libraries: the same kernels twice, and those of a CPU generation without wide vectors.
TEST(CompareLibraries, EndsInItsBudgetWithIntervalsAndExitCodes) {
  if (!HostFeatures().Has("avx2")) GTEST_SKIP() << "two x86 targets that differ are needed";
  const ScratchFolder folder("complibs");
  for (const char* isa : {"avx2", "x86_64"}) {
    const Ran gen = Program(Join("tritforge gen --shapes 128x512 --m 64 --isa ",
                                 std::string_view(isa), " -o ", folder.File(isa)));
    ASSERT_EQ(gen.code, 0) << gen.out;
  }
  const std::string a = folder.File("avx2/lib/libtrit_kernels_avx2.so"), b = folder.File("b.so"),
                    generic = folder.File("x86_64/lib/libtrit_kernels_x86_64.so");
  std::filesystem::copy_file(a, b);
  const std::string rest = " --shapes 128x512 --tokens 64 --threads 1 --budget 3";
  const Ran same = Program(Join("tritforge compare ", a, " ", b, rest, " --threshold 9"));
  EXPECT_EQ(same.code, 0) << same.out;
  EXPECT_LT(same.seconds, 3 + 20);  // a last sample and starting processes on a loaded machine
  EXPECT_THAT(same.out, testing::ContainsRegex(R"(B/A [0-9.]+ \[[0-9.]+, [0-9.]+\])"));
  const Ran slower = Program(Join("tritforge compare ", a, " ", generic, rest));  // several times
  EXPECT_EQ(slower.code, 1) << slower.out;
  EXPECT_THAT(slower.out, HasSubstr("slower matmul m=64 n=128 k=512"));
  EXPECT_THAT(slower.out, HasSubstr("B: veclut x86_64"));
  EXPECT_EQ(Program(Join("tritforge compare ", generic, " ", a, rest)).code, 0);
  // No time at all cannot be a verdict, and neither can a library that is none.
  const Ran rushed = Program(Join("tritforge compare ", a, " ", b,
                                  " --shapes 128x512,256x512 --tokens 64 --budget 0.001"));
  EXPECT_EQ(rushed.code, 2) << rushed.out;
  EXPECT_THAT(rushed.out, HasSubstr("no time was left"));
  std::ofstream(folder.File("junk.so")) << "\x7f"
                                        << "ELF junk";
  EXPECT_EQ(Program(Join("tritforge compare ", a, " ", folder.File("junk.so"), rest)).code, 2);
}

TEST(JitCommand, TimesCandidatesAndNamesWhatItDoesNotKnow) {
  const Ran some = Program("tritforge jit --count 2 --family mad2,veclut --seed 3 --each");
  ASSERT_EQ(some.code, 0) << some.out;
  EXPECT_THAT(some.out, HasSubstr("2 candidates"));
  EXPECT_THAT(some.out, HasSubstr("| text to callable code |"));
  const Ran none = Program("tritforge jit --count 2 --family mad9");
  EXPECT_NE(none.code, 0);
  EXPECT_THAT(none.out, HasSubstr("mad9"));
}

}  // namespace
}  // namespace trit
