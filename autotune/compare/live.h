// Two libraries or builds, measured against each other on this machine now.
//
// A block is A B B A or B A A B in turns, so that a drift within a block hits both sides equally; a
// side's time of a block is the faster of its two samples, because a disturbance only ever slows
// down. Every eight blocks both sides get their memory anew: where pages lie alone makes one
// process 1 % slower than its twin for as long as it lives, and must not look like a slower kernel.
// An item is measured until the asked-for precision or the end of its share of the budget; what is
// still open when all have had theirs gets the time that others left, in new processes.
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
  CompareRules rules;        // an item is done as well when it is certain by these
  int min_blocks = 32, max_blocks = 320;
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
