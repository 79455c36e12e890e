// The tuned library's folder while writers are killed and the disk fills up: a reader finds a whole
// library of those that were landed, or none, never a wrong one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "autotune/stats/random.h"
#include "autotune/tune/library.h"
#include "runtime/records/journal.h"
#include "runtime/tuned/tuned_library.h"
#include "targets/base/error.h"
#include "tests/autotune/record_samples.h"

namespace trit {
namespace {

#ifdef TRIT_FULL_TESTS
constexpr int kKills = 100, kFullDisks = 20;
#else
constexpr int kKills = 25, kFullDisks = 5;
#endif

// Every byte says which library it is, so that a mixture shows.
std::string Library(int i, size_t size = 300000) {
  return std::string(size, static_cast<char>('a' + i % 26));
}

// The library that a program would load now; -1 = none. Fails when it is not whole.
int Found(const std::string& folder) {
  const TunedLibrary found = FindTunedLibrary(folder);
  EXPECT_EQ(found.reason, "");
  if (found.path.empty()) return -1;
  const std::string bytes = ReadWholeFile(found.path);
  EXPECT_FALSE(bytes.empty());
  EXPECT_EQ(bytes, std::string(bytes.size(), bytes[0]));
  return bytes[0] - 'a';
}

// A child lands library after library, says so after each, and is killed at a random moment after
// the first: the last one that it said is in use, or the next.
TEST(LandingTest, KillsLeaveAWholeLibraryInUse) {
  const ScratchFolder scratch("landing");
  const std::string folder = scratch.File("tuned");
  Random random(31);
  for (int round = 0; round < kKills; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      for (int i = round * 7;; ++i) {
        PutLibrary(folder, Library(i), "{}");
        if (write(ends[1], &i, sizeof(i)) != sizeof(i)) _exit(1);
      }
    }
    close(ends[1]);
    int said = -1;
    ASSERT_EQ(read(ends[0], &said, sizeof(said)), static_cast<ssize_t>(sizeof(said)));
    usleep(static_cast<useconds_t>(random.Below(30000)));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    for (int i; read(ends[0], &i, sizeof(i)) == sizeof(i);) said = i;
    close(ends[0]);
    const int now = Found(folder);
    EXPECT_TRUE(now == said % 26 || now == (said + 1) % 26) << now << " after " << said;
  }
  // What the killed ones left behind is gone after the next landing.
  PutLibrary(folder, Library(3), "{}");
  size_t files = 0;
  for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(folder)) ++files;
  EXPECT_EQ(files, 3u);  // library, manifest, current
  PutLibrary(folder, "", "{}");
  EXPECT_EQ(Found(folder), -1);
}

TEST(LandingTest, AFullDiskKeepsTheLibraryThatWasThere) {
  const ScratchFolder scratch("landingfull");
  const std::string folder = scratch.File("");
  if (mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "mounting a tmpfs needs privileges";
  }
  Random random(8);
  int full = 0;
  for (int round = 0; round < kFullDisks; ++round) {
    PutLibrary(folder, Library(round), "{}");
    // The second library, or the manifest after it, does not fit beside the first.
    const size_t room = 1000000 - 300000;
    const std::string manifest(random.Below(400000), ' ');
    const size_t size = room - random.Below(200000);
    try {
      PutLibrary(folder, Library(round + 1, size), manifest + std::string(200000, ' '));
      EXPECT_EQ(Found(folder), (round + 1) % 26);
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr("space"));
      EXPECT_EQ(Found(folder), round % 26);
      ++full;
    }
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      std::filesystem::remove_all(file.path());
    }
  }
  EXPECT_GT(full, 0);
  umount(folder.c_str());
}

}  // namespace
}  // namespace trit
