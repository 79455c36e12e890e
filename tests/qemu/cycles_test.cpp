// The table of modelled cycles in the repository is what `tritforge cycles` writes today.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "generator/static_cost.h"

namespace trit {
namespace {

TEST(Cycles, TheTableIsToday) {
  if (std::system("llvm-mca-19 --version > /dev/null 2>&1") != 0) {
    GTEST_SKIP() << "no llvm-mca-19 (packages.txt: llvm-19)";
  }
  std::ifstream in(TRIT_SOURCE_DIR "/results/tables/arm_cycles.md", std::ios::binary);
  const std::string kept{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  EXPECT_EQ(kept, ArmCyclesTable())
      << "write it anew: tritforge cycles -o results/tables/arm_cycles.md";
}

}  // namespace
}  // namespace trit
