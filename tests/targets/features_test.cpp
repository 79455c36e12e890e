// CPU features under every state an OS can leave the registers in.
#include "targets/features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "targets/base/error.h"
#include "targets/target.h"

namespace trit {
namespace {

using Leaf = std::pair<uint32_t, uint32_t>;

// A CPU with everything: all bits set in every leaf.
CpuFeatures::Cpuid Everything(uint32_t leaf, uint32_t subleaf) {
  if (leaf == 0) return {7, 0, 0, 0};
  if (leaf == 7 && subleaf == 0) return {1, ~0u, ~0u, ~0u};
  return {~0u, ~0u, ~0u, ~0u};
}

constexpr uint64_t kXmm = 0x3, kYmm = 0x7, kZmm = 0xe7;

TEST(Features, AvxNeedsTheOsToSaveItsRegisters) {
  const CpuFeatures none = CpuFeatures::FromX86(Everything, 0);
  EXPECT_TRUE(none.Has("ssse3"));
  EXPECT_TRUE(none.Has("bmi2"));
  EXPECT_FALSE(none.Has("avx"));
  EXPECT_FALSE(none.Has("avx2"));
  EXPECT_FALSE(CpuFeatures::FromX86(Everything, kXmm).Has("avx2"));
  const CpuFeatures ymm = CpuFeatures::FromX86(Everything, kYmm);
  EXPECT_TRUE(ymm.Has("avx2"));
  EXPECT_TRUE(ymm.Has("avxvnni"));
  EXPECT_FALSE(ymm.Has("avx512f"));
  EXPECT_FALSE(ymm.Has("avx512vnni"));
  EXPECT_TRUE(CpuFeatures::FromX86(Everything, kZmm).Has("avx512vbmi"));
}

// Opmask, upper zmm and high zmm state: one missing is all missing.
TEST(Features, Avx512NeedsAllThreeStates) {
  for (const uint64_t bit : {0x20, 0x40, 0x80, 0x2, 0x4}) {
    EXPECT_FALSE(CpuFeatures::FromX86(Everything, kZmm & ~bit).Has("avx512f")) << bit;
  }
}

TEST(Features, LeavesThatTheCpuLacksAreNotRead) {
  const auto old_cpu = [](uint32_t leaf, uint32_t subleaf) -> CpuFeatures::Cpuid {
    if (leaf == 0) return {1, 0, 0, 0};
    EXPECT_EQ(leaf, 1u) << subleaf;  // leaf 7 would answer with another leaf's bits
    return {~0u, ~0u, ~0u, ~0u};
  };
  const CpuFeatures features = CpuFeatures::FromX86(old_cpu, kZmm);
  EXPECT_TRUE(features.Has("avx"));
  EXPECT_FALSE(features.Has("avx2"));
  const auto no_subleaf = [](uint32_t leaf, uint32_t subleaf) -> CpuFeatures::Cpuid {
    EXPECT_EQ(subleaf, 0u);
    if (leaf == 7) return {0, ~0u, ~0u, ~0u};
    return Everything(leaf, subleaf);
  };
  EXPECT_FALSE(CpuFeatures::FromX86(no_subleaf, kZmm).Has("avxvnni"));
}

// One bit at a time: each name reads its own bit and no other.
TEST(Features, EveryX86NameHasABitOfItsOwn) {
  std::map<std::string, int> seen;
  for (const uint32_t leaf : {1u, 7u}) {
    for (uint32_t subleaf = 0; subleaf < (leaf == 7 ? 2u : 1u); ++subleaf) {
      for (int bit = 0; bit < 128; ++bit) {
        const auto cpuid = [&](uint32_t l, uint32_t s) -> CpuFeatures::Cpuid {
          if (l == 0) return {7, 0, 0, 0};
          CpuFeatures::Cpuid c{l == 7 && s == 0 ? 1u : 0u, 0, 0, 0};
          if (l != leaf || s != subleaf) return c;
          const uint32_t value = 1u << bit % 32;
          if (bit / 32 == 0 && !(l == 7 && s == 0)) c.eax = value;
          if (bit / 32 == 1) c.ebx = value;
          if (bit / 32 == 2) c.ecx = value;
          if (bit / 32 == 3) c.edx = value;
          return c;
        };
        const auto present = CpuFeatures::FromX86(cpuid, kZmm).present();
        EXPECT_LE(present.size(), 1u);
        for (const auto& name : present) ++seen[name];
      }
    }
  }
  for (const auto& [name, count] : seen) EXPECT_EQ(count, 1) << name;
  EXPECT_EQ(seen.size(), CpuFeatures::FromX86(Everything, kZmm).present().size());
}

TEST(Features, ArmHwcaps) {
  const CpuFeatures a57 = CpuFeatures::FromArm(uint64_t{1} << 1, 0, 0);
  EXPECT_TRUE(a57.Has("neon"));
  EXPECT_FALSE(a57.Has("dotprod"));
  const CpuFeatures v1 = CpuFeatures::FromArm(1u << 1 | 1u << 20 | 1u << 22, uint64_t{1} << 13, 32);
  EXPECT_THAT(v1.present(), testing::ElementsAre("neon", "dotprod", "sve", "i8mm"));
  EXPECT_EQ(v1.sve_bytes(), 32);
  EXPECT_FALSE(v1.Has("avx2"));  // known, of another architecture
}

TEST(Features, UnknownNamesAreErrorsThatListTheKnown) {
  try {
    HostFeatures().Has("warp_drive");
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(),
                testing::AllOf(testing::HasSubstr("\"warp_drive\""),
                               testing::HasSubstr("avx512vbmi"), testing::HasSubstr("sve2")));
  }
}

TEST(Features, EveryTargetNeedsKnownFeatures) {
  for (const Target& t : AllTargets()) {
    for (const std::string& f : SplitFeatures(t.features)) EXPECT_TRUE(IsFeatureName(f)) << t.key;
  }
}

TEST(Features, TheBaselineRunsHere) {
  EXPECT_EQ(HostFeatures().arch(), HostArch());
  EXPECT_TRUE(HostFeatures().CanRun(BaselineTarget()));
}

}  // namespace
}  // namespace trit
