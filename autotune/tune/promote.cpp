#include "autotune/tune/promote.h"

#include <cmath>
#include <cstdio>

#include "autotune/stats/mann_whitney.h"
#include "autotune/stats/robust.h"
#include "targets/base/error.h"

namespace trit {
namespace {

std::string Percent(double x) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f %%", 100 * x);
  return text;
}

}  // namespace

Verdict JudgeChallenger(std::span<const PairedPass> passes, const PromotionRules& rules) {
  PairedPass all;
  int faster_passes = 0;
  for (const PairedPass& pass : passes) {
    if (pass.challenger_ns.empty() || pass.challenger_ns.size() != pass.incumbent_ns.size()) {
      throw Error("A promotion needs both kernels' samples of every round.");
    }
    all.challenger_ns.insert(all.challenger_ns.end(), pass.challenger_ns.begin(),
                             pass.challenger_ns.end());
    all.incumbent_ns.insert(all.incumbent_ns.end(), pass.incumbent_ns.begin(),
                            pass.incumbent_ns.end());
    faster_passes += MedianOfRatios(pass.challenger_ns, pass.incumbent_ns, 0.95, 10).centre < 1;
  }
  if (all.challenger_ns.empty()) throw Error("A promotion without a round was asked for.");
  Verdict verdict;
  verdict.ratio = MedianOfRatios(all.challenger_ns, all.incumbent_ns);
  verdict.p = MannWhitney(all.challenger_ns, all.incumbent_ns).p_a_less;
  const Interval& ratio = verdict.ratio;
  verdict.slower = ratio.low > 1 + rules.tolerance;
  const std::string numbers =
      Join("takes ", Percent(ratio.centre), " of the incumbent's time (", Percent(ratio.low),
           " to ", Percent(ratio.high), ", ", all.challenger_ns.size(), " paired rounds in ",
           passes.size(), " passes)");
  if (static_cast<int>(passes.size()) < rules.min_passes) {
    verdict.reason = Join("kept: ", numbers, ", but was measured in one pass only");
  } else if (verdict.slower) {
    verdict.reason = Join("kept: the challenger ", numbers);
  } else if (ratio.high >= 1 - rules.margin) {
    verdict.reason =
        Join("kept: ", numbers, "; a gain of ", Percent(rules.margin), " is not certain");
  } else if (verdict.p > rules.alpha) {
    char p[32];
    std::snprintf(p, sizeof(p), "%.3f", verdict.p);
    verdict.reason = Join("kept: ", numbers, "; the U test is not sure (p = ", p, ")");
  } else if (faster_passes < static_cast<int>(passes.size())) {
    verdict.reason = Join("kept: ", numbers, ", but not in every pass");
  } else {
    verdict.promoted = true;
    verdict.reason = Join("promoted: ", numbers);
  }
  return verdict;
}

}  // namespace trit
