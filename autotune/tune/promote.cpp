#include "autotune/tune/promote.h"

#include <cstdio>

#include "autotune/stats/robust.h"
#include "autotune/stats/signed_rank.h"
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
    std::vector<double> ratios;
    for (size_t i = 0; i < pass.challenger_ns.size(); ++i) {
      ratios.push_back(pass.challenger_ns[i] / pass.incumbent_ns[i]);
    }
    faster_passes += Median(ratios) < 1;
    all.challenger_ns.insert(all.challenger_ns.end(), pass.challenger_ns.begin(),
                             pass.challenger_ns.end());
    all.incumbent_ns.insert(all.incumbent_ns.end(), pass.incumbent_ns.begin(),
                            pass.incumbent_ns.end());
  }
  if (all.challenger_ns.empty()) throw Error("A promotion without a round was asked for.");
  Verdict verdict;
  verdict.passes = static_cast<int>(passes.size());
  verdict.ratio = MedianOfRatios(all.challenger_ns, all.incumbent_ns, rules.level);
  verdict.p = PairedP(all.challenger_ns, all.incumbent_ns);
  const Interval& ratio = verdict.ratio;
  verdict.slower = ratio.low > 1 + rules.tolerance;
  const std::string numbers =
      Join("takes ", Percent(ratio.centre), " of the incumbent's time (", Percent(ratio.low),
           " to ", Percent(ratio.high), ", ", all.challenger_ns.size(), " paired rounds in ",
           verdict.passes, verdict.passes == 1 ? " pass)" : " passes)");
  if (verdict.passes < rules.min_passes) {
    verdict.reason = Join("kept: the challenger ", numbers, ", but was measured in one pass only");
  } else if (verdict.slower) {
    verdict.reason = Join("kept: the challenger ", numbers);
  } else if (ratio.high >= 1 - rules.margin) {
    verdict.reason = Join("kept: the challenger ", numbers, "; a gain of ", Percent(rules.margin),
                          " is not certain");
  } else if (verdict.p > rules.alpha) {
    char p[32];
    std::snprintf(p, sizeof(p), "%.3f", verdict.p);
    verdict.reason = Join("kept: the challenger ", numbers,
                          "; the signed-rank test is not sure (p = ", std::string_view(p), ")");
  } else if (4 * faster_passes < 3 * verdict.passes) {
    verdict.reason = Join("kept: the challenger ", numbers, ", but was faster in ", faster_passes,
                          " of the passes only");
  } else {
    verdict.promoted = true;
    verdict.reason = Join("promoted: ", numbers);
  }
  return verdict;
}

}  // namespace trit
