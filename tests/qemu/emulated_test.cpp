// Kernel libraries for Arm, generated here, held against the oracle by the differential runner
// under qemu-user: every target on a CPU that has no more than it needs, scalable targets at every
// vector length. Their sums' digest is the one the host's own kernels give.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <random>
#include <set>

#include "generator/library/write.h"
#include "generator/static_cost.h"
#include "targets/base/error.h"
#include "targets/features.h"
#include "tests/kit/check_library.h"
#include "tests/kit/digest.h"
#include "tests/kit/shell.h"

namespace trit {
namespace {

// Points of each space, vector lengths they run at, and a folder of its own for each tier.
#ifdef TRIT_FULL
constexpr int kRandomPoints = 24;
constexpr std::initializer_list<int> kRandomBits = {128, 256, 512, 1024, 2048};
constexpr std::initializer_list<int> kTableBits = kRandomBits;
constexpr bool kTableEverywhere = true;
constexpr const char* kFolder = "/tests/qemu/all_";
#else
constexpr int kRandomPoints = 1;
constexpr std::initializer_list<int> kRandomBits = {512};
constexpr std::initializer_list<int> kTableBits = {128};
constexpr bool kTableEverywhere = false;
constexpr const char* kFolder = "/tests/qemu/";
#endif
constexpr std::initializer_list<int> kAllBits = {128, 256, 512, 1024, 2048};

constexpr const char* kCheck = TRIT_ARM_CHECK;
#define NEEDS_EMULATOR()                                                                \
  if (!*kCheck) {                                                                       \
    GTEST_SKIP() << "no aarch64-linux-gnu-g++ or no qemu-aarch64 (packages.txt: "       \
                    "g++-aarch64-linux-gnu, qemu-user) when this build was configured"; \
  }

Ran Emulate(const std::string& command) {
  return Shell("timeout 300 " + command);
}

std::vector<const Target*> Emulated() {
  std::vector<const Target*> out;
  for (const Target& t : AllTargets()) {
    if (t.arch != HostArch() && *t.emulator && HasDefaultRows(t)) out.push_back(&t);
  }
  return out;
}

// The command prefixes that run a target's tests: one, or one a vector length.
std::vector<std::string> Prefixes(const Target& target,
                                  std::initializer_list<int> lengths = kAllBits) {
  const std::string mark = "SVE_BYTES", text = target.emulator;
  const size_t at = text.find(mark);
  if (at == text.npos) return {text};
  std::vector<std::string> out;
  for (const int bits : lengths) {
    out.push_back(std::string(text).replace(at, mark.size(), std::to_string(bits / 8)));
  }
  return out;
}

std::string WriteLibrary(const Target& target, const std::string& name,
                         const std::vector<TunedRow>& rows) {
  const std::string folder = Join(TRIT_BINARY_DIR, kFolder, name, "_", target.key);
  std::filesystem::remove_all(folder);
  WriteLibraries({BuildLibrary(PlanLibrary(target, rows))}, folder);
  return Join(folder, "/lib/libtrit_kernels_", target.key, ".so");
}

// Every kernel exact, on every CPU model and length.
void CheckEverywhere(const Target& target, const std::string& library,
                     std::initializer_list<int> lengths = kAllBits) {
  for (const std::string& prefix : Prefixes(target, lengths)) {
    SCOPED_TRACE(prefix);
    const Ran said = Emulate(Join(prefix, " ", kCheck, " ", library));
    EXPECT_EQ(said.code, 0) << said.out;
    EXPECT_THAT(said.out, testing::HasSubstr(" 0 faults\n"));  // not "layouts only"
  }
}

TEST(Emulated, DefaultsAreExact) {
  NEEDS_EMULATOR();
  ASSERT_FALSE(Emulated().empty());
  for (const Target* target : Emulated()) {
    CheckEverywhere(*target, WriteLibrary(*target, "defaults", DefaultRows(*target)));
  }
}

// The kernels of the table of modelled cycles: every family in each of its forms, one token and
// many. In the default tier on scalable targets and on the least of the others, which has the same
// families.
TEST(Emulated, KernelsOfTheCyclesTableAreExact) {
  NEEDS_EMULATOR();
  const Target* least = nullptr;
  for (const Target* t : Emulated()) {
    if (t->vector_bytes > 0 && (!least || t->rank < least->rank)) least = t;
  }
  for (const Target* target : Emulated()) {
    if (target->vector_bytes > 0 && target != least && !kTableEverywhere) continue;
    std::vector<TunedRow> rows;
    for (const Candidate& candidate : ArmCyclesCandidates()) {
      if (candidate.target == target->key) rows.emplace_back().candidate = candidate;
    }
    ASSERT_FALSE(rows.empty()) << target->key;
    CheckEverywhere(*target, WriteLibrary(*target, "table", rows), kTableBits);
  }
}

// Random points of every space, as one library a target.
TEST(Emulated, RandomCandidatesAreExact) {
  NEEDS_EMULATOR();
  std::mt19937_64 rng(20261121);
  for (const Target* target : Emulated()) {
    std::vector<TunedRow> rows;
    std::set<std::string> seen, families;
    for (const Family* family : AllFamilies()) {
      if (!family->supports(*target)) continue;
      families.insert(family->name);
      const Space space = family->space(*target);
      for (int i = 0; i < kRandomPoints; ++i) {
        TunedRow row;
        row.candidate = space.Random(rng);
        if (seen.insert(row.candidate.Text()).second) rows.push_back(row);
      }
    }
    std::printf("%s: %zu candidates of %zu families\n", target->key, rows.size(), families.size());
    CheckEverywhere(*target, WriteLibrary(*target, "random", rows), kRandomBits);
  }
}

// The same data, the same sums: what the emulated kernels give, what this machine's own give, and
// the definition.
TEST(Emulated, SumsAreTheHostsSums) {
  NEEDS_EMULATOR();
  char want[17];
  std::snprintf(want, sizeof(want), "%016llx",
                static_cast<unsigned long long>(kit::OracleDigest()));
  for (const Target& target : AllTargets()) {
    if (target.arch != HostArch() || !HasDefaultRows(target) || !HostFeatures().CanRun(target)) {
      continue;
    }
    const auto library =
        KernelLibrary::FromFile(WriteLibrary(target, "digest", DefaultRows(target)));
    char got[17];
    std::snprintf(got, sizeof(got), "%016llx",
                  static_cast<unsigned long long>(kit::SumsDigest(*library)));
    EXPECT_STREQ(got, want) << target.key;
  }
  for (const Target* target : Emulated()) {
    const std::string library = WriteLibrary(*target, "digest", DefaultRows(*target));
    for (const std::string& prefix : Prefixes(*target)) {
      const Ran said = Emulate(Join(prefix, " ", kCheck, " --digest ", library));
      EXPECT_EQ(said.code, 0) << said.out;
      EXPECT_EQ(said.out.substr(0, 16), want) << prefix << "\n" << said.out;
    }
  }
}

// The runner itself notices: a library for a CPU that lacks its instructions is not run.
TEST(Emulated, AMissingInstructionIsNotRun) {
  NEEDS_EMULATOR();
  const Target *least = nullptr, *most = nullptr;
  for (const Target* t : Emulated()) {
    if (!least || t->rank < least->rank) least = t;
    if (!most || t->rank > most->rank) most = t;
  }
  ASSERT_NE(least, most);
  const std::string library = WriteLibrary(*most, "foreign", DefaultRows(*most));
  const Ran said = Emulate(Join(Prefixes(*least)[0], " ", kCheck, " ", library));
  EXPECT_EQ(said.code, 0) << said.out;
  EXPECT_THAT(said.out, testing::HasSubstr("layouts only"));
}

}  // namespace
}  // namespace trit
