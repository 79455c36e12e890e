#include "runtime/cpu_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace trit {
namespace {

namespace fs = std::filesystem;

// A made-up /sys and /proc below a folder of its own.
class CpuCountTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/cpu_count_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    // Two packages, two cores each, two hardware threads a core: 0..7.
    for (int id = 0; id < 8; ++id) {
      const std::string dir = "sys/devices/system/cpu/cpu" + std::to_string(id) + "/topology/";
      Write(dir + "physical_package_id", std::to_string(id / 2 % 2));
      Write(dir + "core_id", std::to_string(id % 2));
    }
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text << "\n";
  }

  fs::path root_;
};

TEST_F(CpuCountTest, CountsPhysicalCoresInTheAffinityMask) {
  EXPECT_EQ(CountCpus({0, 1, 2, 3, 4, 5, 6, 7}, root_).default_threads, 4);
  EXPECT_EQ(CountCpus({0, 4}, root_).default_threads, 1);  // one core's two threads
  EXPECT_EQ(CountCpus({0, 1, 4}, root_).default_threads, 2);
  EXPECT_EQ(CountCpus({3}, root_).default_threads, 1);
}

TEST_F(CpuCountTest, PinsOneThreadACoreFirst) {
  EXPECT_THAT(CountCpus({0, 1, 2, 3, 4, 5, 6, 7}, root_).PinningOrder(),
              testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(CountCpus({0, 4, 1}, root_).PinningOrder(), testing::ElementsAre(0, 1, 4));
}

TEST_F(CpuCountTest, WithoutTopologyEveryCpuIsACore) {
  EXPECT_EQ(CountCpus({10, 11, 12}, root_).default_threads, 3);
}

TEST_F(CpuCountTest, RespectsQuotaOfCgroupV2AndOfItsParents) {
  Write("proc/self/cgroup", "0::/a/b");
  Write("sys/fs/cgroup/a/b/cpu.max", "max 100000");
  EXPECT_EQ(CountCpus({0, 1, 2, 3}, root_).default_threads, 4);
  Write("sys/fs/cgroup/a/cpu.max", "250000 100000");
  EXPECT_EQ(CountCpus({0, 1, 2, 3}, root_).default_threads, 2);
  Write("sys/fs/cgroup/a/b/cpu.max", "50000 100000");
  EXPECT_EQ(CountCpus({0, 1, 2, 3}, root_).default_threads, 1);
}

TEST_F(CpuCountTest, RespectsQuotaOfCgroupV1) {
  Write("proc/self/cgroup", "4:memory:/x\n2:cpu,cpuacct:/x");
  Write("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "-1");
  Write("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000");
  EXPECT_EQ(CountCpus({0, 1, 2, 3}, root_).default_threads, 4);
  Write("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "300000");
  EXPECT_EQ(CountCpus({0, 1, 2, 3}, root_).default_threads, 3);
}

TEST_F(CpuCountTest, SurvivesNonsense) {
  Write("proc/self/cgroup", "nonsense\n::\n0::/../../..\n9:cpu");
  Write("sys/fs/cgroup/cpu.max", "-5 0");
  EXPECT_EQ(CountCpus({0, 1}, root_).default_threads, 2);
}

TEST(CpuCount, OfThisMachineIsPossible) {
  const CpuCount c = CountCpus();
  EXPECT_GE(c.default_threads, 1);
  EXPECT_LE(c.default_threads, static_cast<int>(c.cpus.size()));
}

}  // namespace
}  // namespace trit
