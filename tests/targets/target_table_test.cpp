#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "targets/base/error.h"
#include "targets/target.h"

namespace trit {
namespace {

TEST(TargetTable, HoldsEveryFolder) {
  std::set<std::string> folders, keys;
  for (const auto& entry : std::filesystem::directory_iterator(TRIT_SOURCE_DIR "/targets")) {
    if (std::filesystem::exists(entry.path() / "target.inc")) {
      folders.insert(entry.path().filename().string());
    }
  }
  for (const Target& t : AllTargets()) keys.insert(t.key);
  EXPECT_EQ(keys, folders);
}

TEST(TargetTable, IsSortedByRank) {
  for (size_t i = 1; i < AllTargets().size(); ++i) {
    EXPECT_GE(AllTargets()[i - 1].rank, AllTargets()[i].rank);
  }
}

TEST(TargetTable, NamesWhatItKnowsWhenAskedForWhatItDoesNot) {
  try {
    FindTarget("z80");
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("\"z80\""));
    EXPECT_THAT(e.what(), testing::HasSubstr("avx2"));
  }
}

}  // namespace
}  // namespace trit
