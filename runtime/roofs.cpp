#include "runtime/roofs.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>

#include "runtime/cpu_count.h"
#include "runtime/memory.h"
#include "runtime/time_region.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

std::atomic<uint64_t> read_sink{0};  // keeps the loads of `read` alive

}  // namespace

double ReadGbpsOnce(ThreadPool& pool, const RoofBody& body, const std::byte* buffer,
                    uint64_t bytes) {
  constexpr int64_t kPage = 4096;
  const int64_t pages = static_cast<int64_t>(bytes) / kPage;
  if (pages < pool.threads()) {
    throw Error(Join("a buffer of ", bytes, " bytes is too small to measure reading"));
  }
  const double seconds = TimeRegion(pool, [&](Team& team) {
    team.Share(pages, [&](int64_t first, int64_t last) {
      const uint64_t sum = body.read(buffer + first * kPage, (last - first) * kPage);
      read_sink.fetch_add(sum, std::memory_order_relaxed);
    });
  });
  return static_cast<double>(pages) * kPage / seconds / 1e9;
}

double MacGpsOnce(ThreadPool& pool, const RoofBody& body, double seconds) {
  // As many steps as fill the time, found on one thread.
  uint64_t steps = 1000;
  for (;;) {
    const auto begin = Clock::now();
    body.mac(steps);
    const double took = Seconds(Clock::now() - begin);
    if (took > 2e-4 || steps > (uint64_t{1} << 40)) {
      steps = std::max<uint64_t>(
          1000, static_cast<uint64_t>(static_cast<double>(steps) * seconds / std::max(took, 1e-9)));
      break;
    }
    steps *= 2;
  }
  const double took = TimeRegion(pool, [&](Team&) { body.mac(steps); });
  return static_cast<double>(steps) * static_cast<double>(body.macs_per_step) * pool.threads() /
         took / 1e9;
}

Roofs MeasureRoofs(const RoofOptions& options) {
  const RoofBody& body = options.body != nullptr ? *options.body : HostRoof();
  const int threads = options.max_threads != 0 ? options.max_threads : CountCpus().default_threads;
  if (threads < 1) throw Error(Join("roofs for ", threads, " threads cannot be measured"));
  Roofs out;
  out.unit = body.unit;
  const uint64_t bytes = std::max<uint64_t>(options.buffer_bytes / 4096 * 4096, 1 << 20);
  auto buffer = AllocateBlock(bytes, 4096);
  std::memset(buffer.get(), 1, bytes);
  for (int t = 1; t <= threads; ++t) {
    ThreadPool pool(t);
    double& read = out.read_gbps[t];
    double& mac = out.mac_gps[t];
    const auto begin = Clock::now();
    do {  // at least one round, however short the time
      read = std::max(read, ReadGbpsOnce(pool, body, buffer.get(), bytes));
    } while (Seconds(Clock::now() - begin) < options.seconds);
    constexpr int kRounds = 8;
    for (int i = 0; i < kRounds; ++i) {
      mac = std::max(mac, MacGpsOnce(pool, body, options.seconds / kRounds));
    }
  }
  return out;
}

}  // namespace trit
