// Does a challenger replace the incumbent? Only when it is faster beyond noise, more than once.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "autotune/stats/bootstrap.h"

namespace trit {

// One pass of interleaved rounds: both kernels in every round.
struct PairedPass {
  std::vector<double> challenger_ns;
  std::vector<double> incumbent_ns;
};

struct PromotionRules {
  double margin = 0.01;     // the whole interval of the ratio must lie below 1 - margin
  double alpha = 0.01;      // of the U test
  int min_passes = 2;       // each pass alone must show it faster
  double tolerance = 0.02;  // "not slower beyond noise": the interval reaches below 1 + tolerance
};

struct Verdict {
  bool promoted = false;
  bool slower = false;  // certainly slower by more than the tolerance
  Interval ratio;       // challenger / incumbent, paired, over all passes
  double p = 1;
  std::string reason;  // one sentence with the numbers
};

// Throws Error when a pass has no or unpaired samples.
Verdict JudgeChallenger(std::span<const PairedPass> passes, const PromotionRules& rules);

}  // namespace trit
