#include "targets/roofs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "runtime/memory.h"
#include "runtime/roofs.h"
#include "targets/features.h"

namespace trit {
namespace {

TEST(Roofs, EveryTargetOfThisArchitectureHasABody) {
  for (const Target& t : AllTargets()) {
    if (t.arch != HostArch()) continue;
    const RoofBody* body = FindRoof(t);
    ASSERT_NE(body, nullptr) << t.key;
    EXPECT_GT(body->macs_per_step, 0u);
  }
}

// The sum that `read` returns depends on each 8 bytes of the buffer, first to last.
TEST(Roofs, ReadingReadsEverything) {
  constexpr size_t kBytes = 8192;
  const auto buffer = AllocateBlock(kBytes);
  for (const Target& t : AllTargets()) {
    if (!HostFeatures().CanRun(t)) continue;
    const RoofBody& body = *FindRoof(t);
    std::memset(buffer.get(), 0, kBytes);
    for (size_t at = 0; at < kBytes; at += 8) {
      const uint64_t one = 1;
      std::memcpy(buffer.get() + at, &one, sizeof(one));
      ASSERT_EQ(body.read(buffer.get(), kBytes), at / 8 + 1) << t.key;
    }
  }
}

TEST(Roofs, MeasuringGivesAFigureForEachThreadCount) {
  RoofOptions options;
  options.max_threads = 1;
  options.buffer_bytes = 4 << 20;
  options.seconds = 0.01;
  for (const Target& t : AllTargets()) {
    if (!HostFeatures().CanRun(t)) continue;
    options.body = FindRoof(t);
    const Roofs roofs = MeasureRoofs(options);
    EXPECT_STREQ(roofs.unit.c_str(), options.body->unit);
    EXPECT_GT(roofs.read_gbps.at(1), 0);
    EXPECT_GT(roofs.mac_gps.at(1), 0);
    EXPECT_EQ(roofs.mac_gps.size(), 1u);
  }
}

}  // namespace
}  // namespace trit
