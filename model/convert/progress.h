// One line on a terminal's standard error for work that takes longer than a second.
#pragma once

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>

namespace trit {

class Progress {
 public:
  // `total` of any unit; `what` begins the line.
  Progress(std::string what, uint64_t total)
      : what_(std::move(what)), total_(total), shown_(isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (drawn_) std::fprintf(stderr, "\r\033[K");
  }

  // From any thread.
  void Add(uint64_t done) {
    const std::lock_guard lock(mutex_);
    done_ += done;
    const auto now = Clock::now();
    if (!shown_ || total_ == 0 || now - start_ < std::chrono::seconds(1) ||
        now - last_ < std::chrono::milliseconds(200)) {
      return;
    }
    last_ = now;
    drawn_ = true;
    const double share = static_cast<double>(done_) / static_cast<double>(total_);
    const double spent = std::chrono::duration<double>(now - start_).count();
    std::fprintf(stderr, "\r%s: %3.0f %%, %.0f s left\033[K", what_.c_str(), 100 * share,
                 share > 0 ? spent / share - spent : 0.0);
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::string what_;
  uint64_t total_, done_ = 0;
  bool shown_, drawn_ = false;
  Clock::time_point start_ = Clock::now(), last_ = start_;
  std::mutex mutex_;
};

}  // namespace trit
