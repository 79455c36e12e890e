#include "runtime/host/host.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "targets/base/error.h"
#include "tests/autotune/record_samples.h"

namespace trit {
namespace {

void Put(const std::string& path, const std::string& text) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text << "\n";
}

TEST(HostTest, ReadsAnX86Machine) {
  const ScratchFolder root("host");
  Put(root.File("proc/cpuinfo"),
      "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 143\n"
      "model name\t: Intel(R) Xeon(R)\nstepping\t: 8\n\nprocessor\t: 1\nmodel\t\t: 1\n");
  const char* cache = "sys/devices/system/cpu/cpu0/cache/";
  Put(root.File(Join(std::string_view(cache), "index0/type")), "Data");
  Put(root.File(Join(std::string_view(cache), "index0/level")), "1");
  Put(root.File(Join(std::string_view(cache), "index0/size")), "48K");
  Put(root.File(Join(std::string_view(cache), "index1/type")), "Instruction");
  Put(root.File(Join(std::string_view(cache), "index1/level")), "1");
  Put(root.File(Join(std::string_view(cache), "index1/size")), "32K");
  Put(root.File(Join(std::string_view(cache), "index2/type")), "Unified");
  Put(root.File(Join(std::string_view(cache), "index2/level")), "2");
  Put(root.File(Join(std::string_view(cache), "index2/size")), "2M");
  Put(root.File("proc/sys/kernel/ostype"), "Linux");
  Put(root.File("proc/sys/kernel/osrelease"), "6.9");
  const Host host = ReadHost(root.File(""));
  EXPECT_EQ(host.vendor, "GenuineIntel");
  EXPECT_EQ(host.model, "143");
  EXPECT_EQ(host.stepping, "8");
  EXPECT_EQ(host.cpu, "Intel(R) Xeon(R)");
  EXPECT_EQ(host.l1d_bytes, 48 << 10);
  EXPECT_EQ(host.l2_bytes, 2 << 20);
  EXPECT_EQ(host.l3_bytes, 0);
  EXPECT_EQ(host.os, "Linux 6.9");
  EXPECT_GE(host.cores, 1);
}

TEST(HostTest, ReadsAnArmMachineAndNothingAtAll) {
  const ScratchFolder root("hostarm");
  Put(root.File("proc/cpuinfo"),
      "processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
      "CPU variant\t: 0x1\nCPU part\t: 0xd40\nCPU revision\t: 1\n");
  EXPECT_EQ(ReadHost(root.File("")).model, "0xd40");
  const Host nothing = ReadHost(root.File("absent"));
  EXPECT_EQ(nothing.cpu, "unknown");
  EXPECT_EQ(nothing.os, "unknown");
  EXPECT_EQ(nothing.Key().size(), 16u);
}

TEST(HostTest, KeysDifferWhereKernelsMay) {
  const Host a = SampleHost();
  Host b = a;
  EXPECT_EQ(a.Key(), b.Key());
  b.os = "Linux 7";
  EXPECT_EQ(a.Key(), b.Key());
  b.l3_bytes /= 2;
  EXPECT_NE(a.Key(), b.Key());
  EXPECT_EQ(a.Microarchitecture(), b.Microarchitecture());
  EXPECT_EQ(ThisHost().Key(), ReadHost().Key());
}

}  // namespace
}  // namespace trit
