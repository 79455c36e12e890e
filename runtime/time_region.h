// The time of a parallel region, in seconds, without the start of the pool.
#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include "runtime/thread_pool.h"

namespace trit {

// Runs fn(team) on every thread behind a barrier: from the first thread that leaves the barrier to
// the last that is done. One thread's clock would not do: preempted before it reads it, that thread
// would time its own share only, and the best of many samples would be twice the truth.
template <typename F>
double TimeRegion(ThreadPool& pool, F&& fn) {
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> begin(pool.threads()), end(pool.threads());
  pool.Run([&](Team& team) {
    team.Barrier();
    begin[team.index()] = Clock::now();
    fn(team);
    end[team.index()] = Clock::now();
  });
  const std::chrono::duration<double> took =
      *std::max_element(end.begin(), end.end()) - *std::min_element(begin.begin(), begin.end());
  return took.count();
}

}  // namespace trit
