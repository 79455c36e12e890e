// Time as the scheduler sees it: real, or virtual in tests.
#pragma once

#include <chrono>
#include <cstdint>

namespace trit::serve {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual int64_t NowNs() const = 0;  // monotonic
};

class SteadyClock : public Clock {
 public:
  int64_t NowNs() const override {
    return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  }
};

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kNsPerSecond = 1'000'000'000;

}  // namespace trit::serve
