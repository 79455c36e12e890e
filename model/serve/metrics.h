// The Prometheus page: the names dashboards made for llama.cpp's server read, and a few of ours.
// Rates are averages since the start over engine time (not over the clock): tokens of all streams
// together for a second of work.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "model/serve/scheduler.h"

namespace trit::serve {

// Counts answers by path and status; paths are the known ones only, so labels stay few.
class RequestCounts {
 public:
  void Count(const std::string& path, int status);
  std::map<std::pair<std::string, int>, int64_t> Snapshot() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, int64_t> counts_;
};

std::string MetricsText(const SchedulerStats& stats, const RequestCounts& requests,
                        int connections);

}  // namespace trit::serve
