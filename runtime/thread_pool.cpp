#include "runtime/thread_pool.h"

#include <sched.h>

#include <chrono>
#include <string>
#include <utility>

#include "runtime/cpu_count.h"
#include "runtime/memory.h"
#include "runtime/sizes.h"
#include "targets/base/error.h"

namespace trit {
namespace {

// Thrown out of Barrier on the threads of a region that failed elsewhere; never leaves Run.
struct Aborted {};

// The pool whose region this thread is in.
thread_local const ThreadPool* current_pool = nullptr;

inline void Relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// How long a barrier spins before it yields: the parts of a matmul end within some microseconds of
// each other, unless another program took the core.
constexpr int kBarrierSpinUs = 50;

void PinThisThread(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  if (sched_setaffinity(0, sizeof(set), &set) != 0) {
    throw Error(Join("cannot pin a thread to CPU ", cpu));
  }
}

}  // namespace

// Waits until word != old: spins, then yields, then sleeps on the word. Whoever changes the word
// wakes sleepers when it sees any. Sleeper counts and words are sequentially consistent, so either
// the changer sees the sleeper or the sleeper sees the change.
void ThreadPool::Wait(std::atomic<uint32_t>& word, uint32_t old, std::atomic<uint32_t>& sleepers,
                      int spin_us) const {
  using Clock = std::chrono::steady_clock;
  // A clock reading costs about 25 ns: look at it every 64 pauses only.
  const bool crowded = options_.oversubscribe;
  if (!crowded) {
    Clock::time_point end{};
    for (;;) {
      for (int i = 0; i < 64; ++i) {
        if (word.load(std::memory_order_acquire) != old) return;
        Relax();
      }
      const auto now = Clock::now();
      if (end == Clock::time_point{}) end = now + std::chrono::microseconds(spin_us);
      if (now >= end) break;
    }
  }
  for (int i = 0; i < 16; ++i) {
    if (word.load(std::memory_order_acquire) != old) return;
    sched_yield();
  }
  sleepers.fetch_add(1, std::memory_order_seq_cst);
  while (word.load(std::memory_order_seq_cst) == old) word.wait(old, std::memory_order_seq_cst);
  sleepers.fetch_sub(1, std::memory_order_seq_cst);
}

void Team::Barrier() {
  if (count_ == 1) return;
  ThreadPool& pool = *pool_;
  auto& b = pool.barrier_;
  counters_used_ = 0;
  const uint32_t generation = b.generation.load(std::memory_order_acquire);
  // A failed region is marked before the generation moves on: whoever reads the new generation sees
  // the mark here, whoever read the old one is released by the change.
  if (pool.aborted_.load(std::memory_order_acquire)) throw Aborted{};
  if (b.arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<uint32_t>(count_)) {
    b.arrived.store(0, std::memory_order_relaxed);
    for (auto& counter : pool.counters_) counter.next.store(0, std::memory_order_relaxed);
    b.generation.store(generation + 1, std::memory_order_seq_cst);
    if (b.sleepers.load(std::memory_order_seq_cst) != 0) b.generation.notify_all();
  } else {
    pool.Wait(b.generation, generation, b.sleepers, kBarrierSpinUs);
  }
  if (pool.aborted_.load(std::memory_order_acquire)) throw Aborted{};
}

std::atomic<int64_t>& Team::NextCounter() {
  if (counters_used_ == ThreadPool::kCounters) Barrier();
  return pool_->counters_[counters_used_++].next;
}

std::byte* Team::Scratch(uint64_t bytes, int slot) {
  if (slot < 0 || slot >= ThreadPool::kScratchSlots) throw Error(Join("no scratch slot ", slot));
  auto& s = pool_->scratch_[thread_ * ThreadPool::kScratchSlots + slot];
  if (s.bytes < bytes) {
    s.data.reset();
    s.data = AllocateBlock(bytes, 64);
    s.bytes = bytes;
  }
  return s.data.get();
}

ThreadPool::ThreadPool(const ThreadPoolOptions& options) : options_(options) {
  const CpuCount cpus = CountCpus();
  threads_ = options.threads == 0 ? cpus.default_threads : options.threads;
  if (threads_ < 1 || threads_ > kMaxThreads) {
    throw Error(Join("a thread count of ", threads_, " is outside 1 .. ", kMaxThreads));
  }
  const int usable = static_cast<int>(cpus.cpus.size());
  if (!options.oversubscribe && threads_ > usable) {
    throw Error(Join(threads_, " threads were asked for, and this process may use ", usable,
                     usable == 1 ? " CPU" : " CPUs"));
  }
  // Spinning helps only while every thread has a CPU of its own.
  options_.oversubscribe = threads_ > usable || threads_ > cpus.quota_cpus;
  scratch_.resize(size_t{kScratchSlots} * threads_);
  const std::vector<int> order = cpus.PinningOrder();
  if (options.pin && threads_ <= static_cast<int>(order.size())) PinThisThread(order[0]);
  workers_.reserve(threads_ - 1);
  for (int i = 1; i < threads_; ++i) {
    const int cpu = options.pin && threads_ <= static_cast<int>(order.size()) ? order[i] : -1;
    workers_.emplace_back([this, i, cpu] {
      try {
        if (cpu >= 0) PinThisThread(cpu);
      } catch (const Error&) {
        // The CPU went away between counting and pinning: run unpinned.
      }
      WorkerLoop(i);
    });
  }
}

ThreadPool::~ThreadPool() {
  stop_.store(true, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_seq_cst);
  epoch_.notify_all();
  for (std::thread& w : workers_) w.join();
}

void ThreadPool::RunAs(int index, FunctionRef<void(Team&)> fn) {
  Team team(this, index, threads_);
  try {
    fn(team);
    return;
  } catch (const Aborted&) {
    return;
  } catch (...) {
    std::lock_guard lock(error_mutex_);
    if (error_ == nullptr) error_ = std::current_exception();
  }
  // Release whoever waits in a barrier now or later: every Barrier of this region returns at once.
  aborted_.store(true, std::memory_order_seq_cst);
  barrier_.generation.fetch_add(1, std::memory_order_seq_cst);
  barrier_.generation.notify_all();
}

void ThreadPool::RunRegion(FunctionRef<void(Team&)> fn) {
  if (current_pool != nullptr) throw Error("a parallel region was started inside another one");
  std::lock_guard lock(run_mutex_);
  struct Mark {
    explicit Mark(const ThreadPool* pool) { current_pool = pool; }
    ~Mark() { current_pool = nullptr; }
  } mark(this);
  for (auto& counter : counters_) counter.next.store(0, std::memory_order_relaxed);
  barrier_.arrived.store(0, std::memory_order_relaxed);
  finished_.store(0, std::memory_order_relaxed);
  aborted_.store(false, std::memory_order_relaxed);
  error_ = nullptr;
  job_ = &fn;
  if (threads_ > 1) {
    epoch_.fetch_add(1, std::memory_order_seq_cst);
    if (parked_.load(std::memory_order_seq_cst) != 0) epoch_.notify_all();
  }
  RunAs(0, fn);
  const uint32_t all = static_cast<uint32_t>(threads_ - 1);
  for (uint32_t done; (done = finished_.load(std::memory_order_acquire)) != all;) {
    Wait(finished_, done, caller_parked_, kBarrierSpinUs);
  }
  if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadPool::WorkerLoop(int index) {
  current_pool = this;
  uint32_t seen = 0;
  for (;;) {
    Wait(epoch_, seen, parked_, options_.spin_us);
    seen += 1;
    if (stop_.load(std::memory_order_relaxed)) return;
    RunAs(index, *job_);
    finished_.fetch_add(1, std::memory_order_seq_cst);
    if (caller_parked_.load(std::memory_order_seq_cst) != 0) finished_.notify_one();
  }
}

}  // namespace trit
