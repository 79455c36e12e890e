// Two libraries or builds, measured against each other on this machine now: blocks of A B B A, so
// that a drift within a block hits both sides equally, as many blocks as the asked-for precision
// needs, up to a budget.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autotune/compare/compare.h"
#include "autotune/tune/session.h"

namespace trit {

struct LiveSide {
  std::vector<std::string> child_command;  // a measuring child
  std::string library;                     // a kernel library's file; "" = the child's own kernels
};

struct LivePlan {
  LiveSide a, b;
  std::vector<WorkItem> items;
  double budget_s = 60;
  double precision = 0.005;  // half width of the interval of the ratio at which an item is done
  int min_blocks = 12, max_blocks = 80;
  double sample_ms = 8;
  std::string mode = "cold";
};

struct LiveResult {
  SampleSet a, b;                   // paired: sample i of both is of the same block
  std::vector<std::string> faults;  // items that could not be measured, with the reason
  double seconds = 0;
};

LiveResult MeasureLive(const LivePlan& plan,
                       const std::function<void(const std::string&)>& progress = {});

}  // namespace trit
