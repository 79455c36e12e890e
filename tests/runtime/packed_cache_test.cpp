// The cache of packed tensors: what comes out is what went in, whatever happens to its files and to
// the processes that write them.
#include "runtime/packed_cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <random>
#include <thread>

#include "runtime/linked/linked.h"
#include "tests/kit/oracle.h"

#if defined(__SANITIZE_THREAD__)
// The processes that are killed start threads of their own after the fork, which is what a separate
// program would do.
extern "C" const char* __tsan_default_options() {
  return "die_after_fork=0";
}
#endif

namespace trit {
namespace {

namespace fs = std::filesystem;

#ifdef TRIT_FULL
constexpr int kKills = 200, kFlips = 3000;
#else
constexpr int kKills = 20, kFlips = 300;
#endif

class Cache : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/packed_cache_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  // A tensor that its number determines.
  static kit::Trits Tensor(int i) {
    std::mt19937_64 random(i);
    return kit::MakeTrits(64 + 37 * i, 500 + 61 * i, kit::Fill::kRandom, random);
  }
  static Hash128 Content(const kit::Trits& t) { return HashBytes(t.w.data(), t.w.size()); }
  static RowSource Source(const kit::Trits& t) {
    return [&t](int32_t begin, int32_t end, int8_t* out) {
      std::memcpy(out, t.Row(begin), size_t(end - begin) * t.k);
    };
  }
  KernelPlan Plan(const kit::Trits& t) const { return set_.Plan(t.n, t.k, 2); }

  // 1 = came from the cache, 0 = had to be packed; the trits must be right in either case.
  int Get(const PackedCache& cache, int i) {
    const kit::Trits t = Tensor(i);
    bool hit = false;
    const PackedMatrix m =
        PackThroughCache(&cache, Content(t), Plan(t), Source(t), pool_, nullptr, {}, &hit);
    std::vector<int8_t> back(t.w.size());
    m.Unpack(0, t.n, back.data());
    EXPECT_EQ(back, t.w) << "tensor " << i;
    return hit;
  }

  size_t FilesWith(const char* extension) const {
    size_t count = 0;
    for (const auto& e : fs::directory_iterator(folder_))
      count += e.path().extension() == extension;
    return count;
  }

  fs::path folder_;
  KernelSet set_{KernelSetOptions{.linked = LinkedLibraries()}};
  ThreadPool pool_{ThreadPoolOptions{.threads = 2, .oversubscribe = true}};
};

TEST_F(Cache, SecondTimeComesFromDisk) {
  const PackedCache cache(folder_ / "made" / "below");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Get(cache, i), 0);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Get(cache, i), 1);
  const PackedCache again(folder_ / "made" / "below");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Get(again, i), 1);
}

TEST_F(Cache, BytesAreThoseThatPackingGives) {
  const PackedCache cache(folder_);
  const kit::Trits t = Tensor(3);
  const PackedMatrix packed = PackedMatrix::Pack(Plan(t), Source(t), pool_);
  ASSERT_EQ(cache.Store(Content(t), packed), "");
  const auto loaded = cache.Load(Content(t), Plan(t), pool_);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(std::memcmp(loaded->data(), packed.data(), packed.bytes()), 0);
}

TEST_F(Cache, OtherContentLayoutOrShapeIsAbsent) {
  const PackedCache cache(folder_);
  const kit::Trits t = Tensor(1);
  Get(cache, 1);
  EXPECT_TRUE(cache.Load(Content(t), Plan(t), pool_).has_value());
  EXPECT_FALSE(cache.Load(HashPair(Content(t), {}), Plan(t), pool_).has_value());
  EXPECT_FALSE(cache.Load(Content(t), set_.Plan(t.n + 1, t.k, 2), pool_).has_value());
  // A file under another tensor's name.
  const kit::Trits other = Tensor(2);
  fs::copy_file(cache.File(Content(t), Plan(t)), cache.File(Content(other), Plan(other)));
  EXPECT_EQ(Get(cache, 2), 0);
}

TEST_F(Cache, DamagedFilesAreIgnoredAndRebuilt) {
  const PackedCache cache(folder_);
  const kit::Trits t = Tensor(4);
  Get(cache, 4);
  const fs::path file = cache.File(Content(t), Plan(t));
  std::ifstream in(file, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  // The header is 248 bytes, the payload begins at 8192; what pads between them is nobody's.
  std::mt19937_64 random(7);
  for (int i = 0; i < kFlips; ++i) {
    std::string bytes = whole;
    const size_t at = i < 248 ? static_cast<size_t>(i) : 8192 + random() % (whole.size() - 8192);
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
    std::ofstream(file, std::ios::binary) << bytes;
    ASSERT_EQ(Get(cache, 4), 0) << "byte " << at;
  }
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100}, size_t{4096}, whole.size() - 1}) {
    fs::resize_file(file, 0);
    std::ofstream(file, std::ios::binary) << whole.substr(0, size);
    ASSERT_EQ(Get(cache, 4), 0) << size;
  }
  std::ofstream(file, std::ios::binary) << whole << "x";
  EXPECT_EQ(Get(cache, 4), 0);
  EXPECT_EQ(Get(cache, 4), 1);
}

TEST_F(Cache, StaysBelowItsCap) {
  // Room for the largest tensor and little else, whatever layout this CPU's kernels give it.
  const PackedCache alone(folder_ / "alone");
  Get(alone, 7);
  const uint64_t cap = alone.Bytes() + 4096;
  const PackedCache cache(folder_, cap);
  for (int i = 0; i < 8; ++i) {
    Get(cache, i);
    EXPECT_LE(cache.Bytes(), cap);
  }
  EXPECT_EQ(Get(cache, 7), 1);  // the newest one stayed
  EXPECT_EQ(Get(cache, 0), 0);  // the oldest one went
  const PackedCache tiny(folder_, 1000);
  const kit::Trits t = Tensor(1);
  EXPECT_THAT(tiny.Store(Content(t), PackedMatrix::Pack(Plan(t), Source(t), pool_)),
              testing::HasSubstr("cap of 1000"));
}

TEST_F(Cache, AFolderThatCannotBeWrittenIsNoError) {
  const fs::path file = folder_ / "a_file";
  std::ofstream(file) << "x";
  const PackedCache cache(file / "below");
  EXPECT_EQ(Get(cache, 1), 0);
  EXPECT_EQ(Get(cache, 1), 0);
  const PackedCache none(fs::path{});
  EXPECT_EQ(Get(none, 1), 0);
}

TEST_F(Cache, TheDefaultFolderFollowsXdg) {
  setenv("XDG_CACHE_HOME", "/somewhere", 1);
  EXPECT_EQ(PackedCache::DefaultDirectory(), "/somewhere/tritforge/packed");
  setenv("XDG_CACHE_HOME", "relative", 1);
  setenv("HOME", "/of/home", 1);
  EXPECT_EQ(PackedCache::DefaultDirectory(), "/of/home/.cache/tritforge/packed");
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  EXPECT_EQ(PackedCache::DefaultDirectory(), "");
}

// Two kinds of leftovers: of a dead process, removed; of a living one, kept.
TEST_F(Cache, RemovesLeftoversOfTheDeadOnly) {
  std::ofstream(folder_ / "dead.tmp") << "half a tensor";
  std::ofstream(folder_ / "alive.tmp") << "half a tensor";
  const int alive = open((folder_ / "alive.tmp").c_str(), O_RDWR);
  ASSERT_EQ(flock(alive, LOCK_EX), 0);
  const PackedCache cache(folder_);
  EXPECT_FALSE(fs::exists(folder_ / "dead.tmp"));
  EXPECT_TRUE(fs::exists(folder_ / "alive.tmp"));
  close(alive);
  const PackedCache later(folder_);
  EXPECT_FALSE(fs::exists(folder_ / "alive.tmp"));
}

// Kills a process that packs and stores at random moments. Nothing wrong may ever be read, nothing
// has to be removed by hand, and the cache fills up all the same.
TEST_F(Cache, SurvivesKillsAtAnyMoment) {
#ifdef TRIT_EMULATED
  GTEST_SKIP() << "qemu-user cannot start threads in a forked child";
#endif
  constexpr int kTensors = 12;
  std::mt19937_64 random(11);
  int hits = 0;
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      // A process of its own with threads of its own, for as long as it is let live. It replaces
      // files again and again, so that kills meet every step of a write.
      ThreadPool pool(ThreadPoolOptions{.threads = 2, .oversubscribe = true});
      const PackedCache cache(folder_);
      for (int i = 0;; ++i) {
        const kit::Trits t = Tensor(i % kTensors);
        (void)cache.Store(Content(t), PackedMatrix::Pack(Plan(t), Source(t), pool));
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    const PackedCache cache(folder_);
    EXPECT_EQ(FilesWith(".tmp"), 0u);
    const int i = static_cast<int>(random() % kTensors);
    const kit::Trits t = Tensor(i);
    if (const auto found = cache.Load(Content(t), Plan(t), pool_)) {
      ++hits;
      std::vector<int8_t> back(t.w.size());
      found->Unpack(0, t.n, back.data());
      ASSERT_EQ(back, t.w);
    }
  }
  const PackedCache cache(folder_);
  for (int i = 0; i < kTensors; ++i) Get(cache, i);
  for (int i = 0; i < kTensors; ++i) EXPECT_EQ(Get(cache, i), 1);
  EXPECT_GT(hits, 0) << "the killed processes never finished a tensor: the test shows nothing";
}

}  // namespace
}  // namespace trit
