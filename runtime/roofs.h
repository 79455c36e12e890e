// The two limits that every speed here is divided by, measured on this machine:
//   read bandwidth      streaming a buffer far larger than the last cache, huge pages, wide loads,
//                       prefetch; bytes are counted once
//   multiply-accumulate the best int8 unit of the CPU on registers alone
// each with 1 .. n threads. The best of several short rounds counts: a limit is what the machine
// can do, and other programs only take away from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "runtime/thread_pool.h"
#include "targets/roofs.h"

namespace trit {

struct Roofs {
  std::map<int, double> read_gbps;  // by threads; 1e9 bytes a second
  std::map<int, double> mac_gps;    // by threads; 1e9 multiply-accumulates a second
  std::string unit;                 // e.g. "vpdpbusd-512"
};

struct RoofOptions {
  int max_threads = 0;                          // 0 = as many as the default pool has
  uint64_t buffer_bytes = uint64_t{512} << 20;  // streamed once a round
  double seconds = 0.5;                         // for each of the two, for each thread count
  const RoofBody* body = nullptr;               // null = HostRoof()
};

Roofs MeasureRoofs(const RoofOptions& options);

// One quick reading each, for measuring beside something else (interleaved with other timings).
// The buffer is the caller's, at least 64 MB for a meaningful figure, a multiple of 4 KiB.
double ReadGbpsOnce(ThreadPool& pool, const RoofBody& body, const std::byte* buffer,
                    uint64_t bytes);
double MacGpsOnce(ThreadPool& pool, const RoofBody& body, double seconds);

}  // namespace trit
