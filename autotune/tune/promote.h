// Does a challenger replace the incumbent? Only when it is faster beyond noise, more than once.
//
// Both kernels are timed in every round (interleaved pairs), several rounds are a pass with memory
// of its own, and all of the following must hold:
//   - the whole 99 % interval of the median ratio lies below 1 - margin
//   - Wilcoxon's signed-rank test of the pairs agrees (PairedP <= alpha). Pairs, because what slows
//     the machine down hits both sides of a round: with rounds that varied by 15 % an unpaired U
//     test kept gains of 4 and 5 % back that pairs decide in two passes.
//   - at least min_passes passes were taken, and three quarters of them show it faster by
//     themselves
// A verdict that more rounds could turn is open(); the tuner then takes more passes, up to
// max_passes. tests/autotune/promote_test.cpp counts how often that promotes an equal kernel.
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
  double margin = 0.01;
  double level = 0.99;  // of the interval: the tuner may look up to max_passes times
  double alpha = 0.01;
  int min_passes = 2, max_passes = 5;
  double tolerance = 0.02;  // "not slower beyond noise": the interval reaches below 1 + tolerance
};

struct Verdict {
  bool promoted = false;
  bool slower = false;  // certainly slower by more than the tolerance
  Interval ratio;       // challenger / incumbent, paired, over all passes
  double p = 1;
  int passes = 0;
  std::string reason;  // one sentence with the numbers

  // Not promoted, but a gain beyond the margin is still possible and the guess is a gain.
  bool open(const PromotionRules& rules) const {
    return !promoted && passes < rules.max_passes &&
           (passes < rules.min_passes ||
            (ratio.low < 1 - rules.margin && ratio.centre < 1 - rules.margin / 2));
  }
};

// Throws Error when a pass has no or unpaired samples.
Verdict JudgeChallenger(std::span<const PairedPass> passes, const PromotionRules& rules);

}  // namespace trit
