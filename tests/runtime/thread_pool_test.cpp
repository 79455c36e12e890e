#include "runtime/thread_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

#include "targets/base/error.h"

namespace trit {
namespace {

ThreadPoolOptions Crowded(int threads) {
  return {.threads = threads, .oversubscribe = true};
}

class ThreadPoolTest : public testing::TestWithParam<int> {
 protected:
  ThreadPool pool_{Crowded(GetParam())};
};

TEST_P(ThreadPoolTest, RunsOnceOnEveryThread) {
  for (int round = 0; round < 200; ++round) {
    std::vector<int> seen(GetParam());
    pool_.Run([&](Team& team) {
      EXPECT_EQ(team.count(), GetParam());
      ++seen[team.index()];
    });
    EXPECT_THAT(seen, testing::Each(1));
  }
}

TEST_P(ThreadPoolTest, BarrierShowsWhatOthersWrote) {
  std::vector<int> value(GetParam());
  std::atomic<int> wrong{0};
  pool_.Run([&](Team& team) {
    for (int round = 1; round <= 300; ++round) {
      value[team.index()] = round * (team.index() + 1);
      team.Barrier();
      for (int i = 0; i < team.count(); ++i) wrong += value[i] != round * (i + 1);
      team.Barrier();
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST_P(ThreadPoolTest, ShareCoversEachItemOnce) {
  for (const int64_t items : {0, 1, 2, 3, 7, 100, 1001}) {
    std::vector<int> even(items), dynamic(items);
    pool_.Run([&](Team& team) {
      team.Share(items, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++even[i];
      });
      team.ShareDynamic(items, [&](int64_t i) { ++dynamic[i]; });
    });
    EXPECT_THAT(even, testing::Each(1));
    EXPECT_THAT(dynamic, testing::Each(1));
  }
}

TEST_P(ThreadPoolTest, ManyDynamicSharesWithoutABarrierBetween) {
  std::vector<std::atomic<int>> count(200);
  pool_.Run([&](Team& team) {
    for (auto& c : count) team.ShareDynamic(5, [&](int64_t) { ++c; });
  });
  for (const auto& c : count) EXPECT_EQ(c, 5);
}

TEST_P(ThreadPoolTest, CarriesAnExceptionToTheCallerAndLivesOn) {
  for (int thrower = 0; thrower < GetParam(); ++thrower) {
    const auto fails = [&](Team& team) {
      team.Barrier();
      if (team.index() == thrower) throw std::out_of_range("planted");
      for (int i = 0; i < 3; ++i) team.Barrier();  // must not wait for the one that left
    };
    EXPECT_THROW(pool_.Run(fails), std::out_of_range);
    std::atomic<int> ran{0};
    pool_.Run([&](Team& team) {
      team.Barrier();
      ++ran;
      team.Barrier();
    });
    EXPECT_EQ(ran, GetParam());
  }
}

TEST_P(ThreadPoolTest, WakesFromPark) {
  ThreadPool sleepy(ThreadPoolOptions{.threads = GetParam(), .oversubscribe = true, .spin_us = 1});
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    std::atomic<int> ran{0};
    sleepy.Run([&](Team&) { ++ran; });
    EXPECT_EQ(ran, GetParam());
  }
}

TEST_P(ThreadPoolTest, ScratchIsPrivateAlignedAndKept) {
  std::vector<std::byte*> where(GetParam());
  pool_.Run([&](Team& team) {
    where[team.index()] = team.Scratch(1000);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(where[team.index()]) % 64, 0u);
    EXPECT_EQ(team.Scratch(10), where[team.index()]);
    EXPECT_NE(team.Scratch(10, 5), where[team.index()]);
  });
  std::sort(where.begin(), where.end());
  EXPECT_EQ(std::adjacent_find(where.begin(), where.end()), where.end());
}

TEST_P(ThreadPoolTest, AloneAThreadWaitsForNobodyAndKeepsItsScratch) {
  std::atomic<int> done{0};
  pool_.Run([&](Team& team) {
    Team alone = team.Alone();
    EXPECT_EQ(alone.count(), 1);
    EXPECT_EQ(alone.index(), 0);
    EXPECT_EQ(alone.Scratch(100), team.Scratch(100));
    // As many barriers as the thread's number: a barrier with the others would never end.
    for (int i = 0; i < team.index(); ++i) alone.Barrier();
    int64_t items = 0;
    alone.Share(7, [&](int64_t begin, int64_t end) { items += end - begin; });
    alone.ShareDynamic(7, [&](int64_t) { ++items; });
    EXPECT_EQ(items, 14);
    team.Barrier();
    ++done;
  });
  EXPECT_EQ(done, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, testing::Values(1, 2, 3, 8));

TEST(ThreadPool, RefusesMoreThreadsThanCpus) {
  try {
    ThreadPool pool(1000);
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("1000 threads"));
  }
  EXPECT_THROW(ThreadPool(-1), Error);
  EXPECT_THROW(ThreadPool(Crowded(5000)), Error);
}

TEST(ThreadPool, RefusesARegionInsideARegion) {
  ThreadPool pool(1);
  EXPECT_THROW(pool.Run([&](Team&) { pool.Run([](Team&) {}); }), Error);
  ThreadPool two(Crowded(2));
  const auto nested = [&](Team& team) {
    if (team.index() == 1) two.Run([](Team&) {});
  };
  EXPECT_THROW(two.Run(nested), Error);
}

TEST(ThreadPool, RegionsFromSeveralThreadsFollowOneAnother) {
  ThreadPool pool(Crowded(2));
  std::atomic<int> inside{0}, together{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        pool.Run([&](Team& team) {
          if (team.index() != 0) return;
          if (++inside > 1) ++together;
          --inside;
        });
      }
    });
  }
  for (auto& c : callers) c.join();
  EXPECT_EQ(together, 0);
}

TEST(ThreadPool, PinsWhenAsked) {
  int ran = 0;
  // On a thread of its own: pinning is for life.
  std::thread([&] {
    ThreadPool pool(ThreadPoolOptions{.threads = 1, .pin = true});
    pool.Run([&](Team&) { ++ran; });
  }).join();
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace trit
