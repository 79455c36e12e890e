// What the shipped kernels' loops hold, on every target, also those this CPU lacks: the wanted
// instruction is there, nothing is gathered, called or spilled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
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
      EXPECT_THAT(text, testing::ContainsRegex("cnt[bw]"));
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
