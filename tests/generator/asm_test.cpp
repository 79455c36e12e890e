// What the shipped kernels' loops hold, on every target, also those this CPU lacks: the wanted
// instruction is there, nothing is gathered, called or spilled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>
#include <string>

#include "generator/asm_report.h"
#include "generator/backend/stage.h"
#include "generator/kernel.h"
#include "generator/library/plan.h"
#include "generator/static_cost.h"
#include "targets/base/error.h"

namespace trit {
namespace {

TEST(AsmReportText, CountsInnermostLoops) {
  const AsmReport report(
      "f:\n"
      ".outer:\n\txorl %eax, %eax\n"
      ".inner:\n\tvpermw (%rsi), %zmm0, %zmm1\n"
      "\tvmovdqa64 %zmm1, 64(%rsp)  # 64-byte Spill\n"
      "\tdecl %eax\n\tjne .inner\n"
      "\tvmovdqa64 64(%rsp), %zmm1  # 64-byte Reload\n"
      "\tjne .outer\n\tcallq g\n\tretq\n");
  ASSERT_EQ(report.loops().size(), 1u);
  EXPECT_EQ(report.loops()[0].label, ".inner");
  EXPECT_EQ(report.loops()[0].spills, 1);
  EXPECT_EQ(report.loops()[0].instructions, 4);
  EXPECT_TRUE(report.Holds("vpermw"));
  EXPECT_FALSE(report.Holds("xorl"));
  EXPECT_TRUE(report.Holds("vpermb|vpermw"));
  EXPECT_FALSE(report.Holds("vpermb|vperm"));
  EXPECT_EQ(report.calls(), 1);
}

TEST(Assembly, DefaultsHoldTheWantedInstruction) {
  int kernels = 0;
  for (const Target& target : AllTargets()) {
    if (!HasDefaultRows(target)) continue;
    for (const Candidate& candidate : PlanLibrary(target, DefaultRows(target)).kernels) {
      SCOPED_TRACE(candidate.Text());
      const AsmReport report(MatmulAssembly(candidate));
      const KernelParts parts = BuildParts(candidate, target);
      EXPECT_FALSE(parts.wanted.empty());
      for (const std::string& mnemonic : parts.wanted) {
        EXPECT_TRUE(report.Holds(mnemonic)) << mnemonic << "\n" << report.Text();
      }
      EXPECT_EQ(report.gathers(), 0) << report.Text();
      ASSERT_FALSE(report.loops().empty());
      // Zero-filling y may be a memset outside (the only kind of call that links).
      EXPECT_EQ(report.loops()[0].calls, 0) << report.Text();
      EXPECT_EQ(report.loops()[0].spills, 0) << report.Text();
      ++kernels;
    }
  }
  EXPECT_GT(kernels, 0);
}

// The longest row of one instruction without another of `apart` in between.
int LongestRow(const std::string& loop, const std::string& mnemonic, const std::string& apart) {
  int row = 0, longest = 0;
  std::istringstream in(loop);
  for (std::string line; std::getline(in, line);) {
    const std::string word = line.substr(0, line.find(' '));
    if (word == mnemonic) longest = std::max(longest, ++row);
    if (word == apart) row = 0;
  }
  return longest;
}

TEST(Assembly, TiedLookupsAreTogether) {
  const AsmReport report(MatmulAssembly(ReadCandidate(
      "lut3w avx512bw form=rows rows=128 words=19 m_tile=4 unroll=1 m_block=32 second=load "
      "order=tied prefetch=48 hint=t1 tune=znver4")));
  ASSERT_FALSE(report.loops().empty());
  const LoopReport& loop = report.loops()[0];
  ASSERT_EQ(loop.mnemonics.at("vpermw"), 48);
  // Twelve groups of four lookups, then four sums: no sum of a group stands before its last lookup.
  std::istringstream in(loop.text);
  int lookups = 0, sums = 0;
  for (std::string line; std::getline(in, line);) {
    lookups += line.starts_with("vpermw ");
    sums += line.starts_with("vpaddw ");
    EXPECT_LE(sums, lookups / 4 * 4) << loop.text;
  }
  EXPECT_EQ(sums, 48);
  EXPECT_GE(LongestRow(loop.text, "vpermw", "vpaddw"), 4);
  EXPECT_FALSE(loop.mnemonics.contains("#APP"));
}

// Every line of a word's row, not every second.
TEST(Assembly, PrefetchTouchesEveryLine) {
  const AsmReport report(MatmulAssembly(ReadCandidate(
      "lut3w avx512bw form=rows rows=128 words=19 m_tile=4 unroll=1 m_block=32 second=load "
      "order=tied prefetch=48 hint=t1 tune=znver4")));
  ASSERT_FALSE(report.loops().empty());
  std::set<long> lines;
  std::istringstream in(report.loops()[0].text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("prefetcht1 ")) {
      lines.insert(std::strtol(line.c_str() + sizeof("prefetcht1"), nullptr, 10));
    }
  }
  ASSERT_EQ(lines.size(), 4u) << report.loops()[0].text;
  EXPECT_EQ(*lines.rbegin() - *lines.begin(), 3 * 64);
}

// Every kernel of the table of Arm cycles: its instruction (tbl, sdot, usdot, usmmla, smlal) in a
// loop, no spill in its busiest loop. (Scalable code has a loop for each number of vectors a
// granule fills; what only 1024 bits and more take is not looked at.)
TEST(Assembly, ArmLoopsHoldTheirInstructionAndNoSpill) {
  std::set<std::string> families, instructions;
  for (const Candidate& candidate : ArmCyclesCandidates()) {
    SCOPED_TRACE(candidate.Text());
    const AsmReport report(MatmulAssembly(candidate));
    const KernelParts parts = BuildParts(candidate, FindTarget(candidate.target));
    EXPECT_FALSE(parts.wanted.empty());
    for (const std::string& mnemonic : parts.wanted) {
      EXPECT_TRUE(report.Holds(mnemonic)) << mnemonic << "\n" << report.Text();
    }
    ASSERT_FALSE(report.loops().empty());
    EXPECT_EQ(report.loops()[0].spills, 0) << report.Text();
    for (const auto& [mnemonic, count] : report.loops()[0].mnemonics) {
      instructions.insert(mnemonic);
    }
    EXPECT_EQ(report.gathers(), 0) << report.Text();
    families.insert(candidate.family);
  }
  EXPECT_THAT(families,
              testing::IsSupersetOf({"mad2", "mad5", "lut2", "lut3", "lut4", "bits", "veclut"}));
  EXPECT_THAT(instructions, testing::IsSupersetOf({"smlal2", "sdot", "usdot", "usmmla", "tbl"}));
}

// Scalable code holds nothing that is right at one vector length alone: no predicate of a fixed
// number of lanes (but 16 bytes, which every vector has), no 128-bit vector arithmetic beside the
// scalable one in its busiest loop; it asks for its length. (tests/qemu runs it at 128 to 2048
// bits.)
TEST(Assembly, ScalableCodeAssumesNoLength) {
  int kernels = 0;
  for (const Target& target : AllTargets()) {
    if (target.vector_bytes > 0 || !HasDefaultRows(target)) continue;
    for (const Family* family : AllFamilies()) {
      if (!family->supports(target)) continue;
      const Candidate candidate = family->space(target).Enumerate(1).at(0);
      SCOPED_TRACE(candidate.Text());
      const std::string text = MatmulAssembly(candidate);
      EXPECT_THAT(text, testing::Not(testing::ContainsRegex("[.][hsd], vl|[.]b, vl[2-9]")));
      EXPECT_THAT(text, testing::Not(testing::HasSubstr(".16b")));
      EXPECT_THAT(text, testing::ContainsRegex("cnt[bhw]|inc[bhw]|rdvl|addvl"));
      EXPECT_THAT(text, testing::HasSubstr("whilelt"));
      ++kernels;
    }
  }
  EXPECT_GT(kernels, 0);
}

TEST(AsmReportText, ReadsArm) {
  const AsmReport report(
      "f:                       // @f\n"
      ".LBB0_1:\n\tldr\tq2, [x0], #16\n\tsdot\tv0.4s, v1.16b, v2.4b[1]\n"
      "\tstr\tq0, [sp, #16]  // 16-byte Folded Spill\n"
      "\tbic\tw0, w0, #1\n\ttbz\tw0, #3, .LBB0_1\n\tbl\tg\n\tret\n");
  ASSERT_EQ(report.loops().size(), 1u);
  EXPECT_EQ(report.loops()[0].instructions, 5);
  EXPECT_EQ(report.loops()[0].vector_instructions, 3);
  EXPECT_EQ(report.loops()[0].spills, 1);
  EXPECT_TRUE(report.Holds("sdot"));
  EXPECT_EQ(report.calls(), 1);
}

}  // namespace
}  // namespace trit
