// What the runtime itself costs, and the two roofs: Google Benchmark, run by hand.
//   build/release/bin/perf_runtime
#include <benchmark/benchmark.h>

#include <chrono>
#include <cstring>
#include <optional>

#include "runtime/linked/linked.h"
#include "runtime/matmul.h"
#include "runtime/memory.h"
#include "runtime/roofs.h"

namespace trit {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

// One region with nothing in it, workers spinning: what a parallel step costs at least.
void BM_Region(benchmark::State& state) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  for (auto _ : state) pool.Run([](Team&) {});
}
BENCHMARK(BM_Region)->DenseRange(1, 2);

// A barrier inside a region.
void BM_Barrier(benchmark::State& state) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  constexpr int kBarriers = 10000;
  for (auto _ : state) {
    Clock::time_point begin, end;
    pool.Run([&](Team& team) {
      team.Barrier();
      if (team.index() == 0) begin = Clock::now();
      for (int i = 0; i < kBarriers; ++i) team.Barrier();
      if (team.index() == 0) end = Clock::now();
    });
    state.SetIterationTime(Seconds(end - begin));
  }
  state.counters["each"] = benchmark::Counter(
      kBarriers, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_Barrier)->DenseRange(1, 2)->UseManualTime();

// A matmul so small that only finding the kernel, preparing and slicing is left.
void BM_MatMulOverhead(benchmark::State& state) {
  const int threads = static_cast<int>(state.range(0));
  const KernelSet kernels(KernelSetOptions{});
  ThreadPool pool(threads);
  const RowSource zeros = [](int32_t begin, int32_t end, int8_t* out) {
    std::memset(out, 0, static_cast<size_t>(end - begin));
  };
  const PackedMatrix w = PackedMatrix::Pack(kernels.Plan(threads, 1, threads), zeros, pool);
  Activations acts(kernels, 1, 1, threads);
  Sums sums(kernels, 1, threads);
  constexpr int kCalls = 10000;
  for (auto _ : state) {
    Clock::time_point begin, end;
    acts.Reset(1);
    pool.Run([&](Team& team) {
      MatMul(team, w, acts, sums);
      team.Barrier();
      if (team.index() == 0) begin = Clock::now();
      for (int i = 0; i < kCalls; ++i) MatMul(team, w, acts, sums);
      if (team.index() == 0) end = Clock::now();
    });
    state.SetIterationTime(Seconds(end - begin));
  }
  state.counters["each"] = benchmark::Counter(
      kCalls, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_MatMulOverhead)->DenseRange(1, 2)->UseManualTime();

void BM_ReadRoof(benchmark::State& state) {
  constexpr uint64_t kBytes = uint64_t{512} << 20;
  ThreadPool pool(static_cast<int>(state.range(0)));
  const auto buffer = AllocateBlock(kBytes);
  std::memset(buffer.get(), 1, kBytes);
  double best = 0;
  for (auto _ : state) {
    best = std::max(best, ReadGbpsOnce(pool, HostRoof(), buffer.get(), kBytes));
  }
  state.counters["best_GB/s"] = best;
}
BENCHMARK(BM_ReadRoof)->DenseRange(1, 2)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_MacRoof(benchmark::State& state) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  double best = 0;
  for (auto _ : state) best = std::max(best, MacGpsOnce(pool, HostRoof(), 0.02));
  state.counters["best_GMAC/s"] = best;
  state.SetLabel(HostRoof().unit);
}
BENCHMARK(BM_MacRoof)->DenseRange(1, 2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace trit

BENCHMARK_MAIN();
