// Threads for matrix products of 20 to 500 microseconds.
//
//   ThreadPool pool;                      // one thread a physical core the process may use
//   pool.Run([&](Team& team) {            // every thread runs this; the caller is thread 0
//     MatMul(team, ...);
//     team.Barrier();
//     team.Share(rows, [&](int64_t begin, int64_t end) { ... });
//   });
//
// Workers live as long as the pool. Between regions they spin for `spin_us` and then park, so that
// a decode step finds them awake and an idle program costs nothing. Inside a region a barrier
// spins, then yields, then parks: a thread that lost its core does not burn the other's time.
//
// An exception that leaves `fn` on any thread is carried to the caller of Run; threads that wait in
// a barrier meanwhile are released (their Barrier throws), so a failure never hangs. The pool can
// be used again afterwards.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/function_ref.h"

namespace trit {

struct ThreadPoolOptions {
  int threads = 0;   // 0 = DefaultThreadCount() of runtime/cpu_count.h
  bool pin = false;  // each thread to a core of its own, the caller of the constructor included
  bool oversubscribe = false;  // allow more threads than CPUs (tests); else refused
  int spin_us = 1000;          // how long a worker spins for the next region before it parks
};

class ThreadPool;

// One thread's view of a running region.
class Team {
 public:
  int index() const { return index_; }
  int count() const { return count_; }

  // Returns when every thread of the team has arrived; what they wrote before is visible after.
  void Barrier();

  // Cuts [0, items) into count() even, contiguous pieces; this thread's one. No barrier.
  template <typename F>
  void Share(int64_t items, F&& fn) {
    const int64_t begin = items * index_ / count_;
    const int64_t end = items * (index_ + 1) / count_;
    if (begin < end) fn(begin, end);
  }

  // Hands out the items 0 .. items-1 one by one to whoever is free: fn(item). Every thread of the
  // team must make the same calls in the same order. No barrier.
  template <typename F>
  void ShareDynamic(int64_t items, F&& fn) {
    if (count_ == 1) {
      for (int64_t i = 0; i < items; ++i) fn(i);
      return;
    }
    std::atomic<int64_t>& counter = NextCounter();
    for (;;) {
      const int64_t i = counter.fetch_add(1, std::memory_order_relaxed);
      if (i >= items) return;
      fn(i);
    }
  }

  // This thread as a team of its own, with its scratch: for work that waits for nobody.
  Team Alone() const {
    Team team = *this;
    team.index_ = 0;
    team.count_ = 1;
    return team;
  }

  // This thread's own memory, aligned to 64 bytes, at least `bytes`; contents are undefined and
  // valid until the next call with the same slot. Grows once, then costs nothing. Slots 0 to 3 are
  // the runtime's (matmul, packing), 4 to 7 the caller's.
  std::byte* Scratch(uint64_t bytes, int slot = 4);

 private:
  friend class ThreadPool;
  Team(ThreadPool* pool, int index, int count)
      : pool_(pool), thread_(index), index_(index), count_(count) {}
  std::atomic<int64_t>& NextCounter();

  ThreadPool* pool_;
  int thread_;  // of the pool
  int index_, count_;
  int counters_used_ = 0;  // since the last barrier
};

class ThreadPool {
 public:
  static constexpr int kMaxThreads = 1024;
  static constexpr int kScratchSlots = 8;

  explicit ThreadPool(const ThreadPoolOptions& options = {});
  explicit ThreadPool(int threads) : ThreadPool(ThreadPoolOptions{.threads = threads}) {}
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // Runs fn(Team&) once on every thread and returns when all are done. Regions of one pool follow
  // one another; a region inside a region is an error.
  template <typename F>
  void Run(F&& fn) {
    RunRegion(FunctionRef<void(Team&)>(fn));
  }

 private:
  friend class Team;
  struct Worker;

  // A barrier that ends in a futex; each word on a cache line of its own.
  struct alignas(64) BarrierState {
    alignas(64) std::atomic<uint32_t> arrived{0};
    alignas(64) std::atomic<uint32_t> generation{0};
    alignas(64) std::atomic<uint32_t> sleepers{0};
  };
  static constexpr int kCounters = 32;  // dynamic shares between two barriers
  struct alignas(64) Counter {
    std::atomic<int64_t> next{0};
  };

  void RunRegion(FunctionRef<void(Team&)> fn);
  void RunAs(int index, FunctionRef<void(Team&)> fn);
  void WorkerLoop(int index);
  void Wait(std::atomic<uint32_t>& word, uint32_t old, std::atomic<uint32_t>& sleepers,
            int spin_us) const;

  int threads_ = 1;
  ThreadPoolOptions options_;
  std::mutex run_mutex_;

  alignas(64) std::atomic<uint32_t> epoch_{0};  // bumped for every region
  alignas(64) std::atomic<uint32_t> parked_{0};
  alignas(64) std::atomic<uint32_t> finished_{0};  // workers done with this region
  alignas(64) std::atomic<uint32_t> caller_parked_{0};
  BarrierState barrier_;
  Counter counters_[kCounters];
  std::atomic<bool> aborted_{false};
  std::atomic<bool> stop_{false};
  const FunctionRef<void(Team&)>* job_ = nullptr;
  std::mutex error_mutex_;
  std::exception_ptr error_;
  struct Scratch {
    std::shared_ptr<std::byte> data;
    uint64_t bytes = 0;
  };
  std::vector<Scratch> scratch_;
  std::vector<std::thread> workers_;
};

}  // namespace trit
