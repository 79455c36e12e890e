// Did something get slower? Samples of A and B, workload by workload, to verdicts that hold for all
// of them together.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "autotune/stats/bootstrap.h"

namespace trit {

struct WorkloadSamples {
  std::vector<double> ns;
  std::vector<int> group =
      {};                      // of paired samples: memory was laid out anew for each; may be empty
  std::string candidate = {};  // which kernel this was; "" = not known
};
using SampleSet = std::map<std::string, WorkloadSamples>;  // by workload text

enum class Change { kSame, kFaster, kSlower, kUnsure };
const char* ChangeName(Change change);

struct CompareRules {
  double threshold = 0.02;  // differences up to this are "same"
  double alpha = 0.01;      // of any false alarm among all workloads (Holm)
};

struct WorkloadComparison {
  std::string workload;
  int samples_a = 0, samples_b = 0;
  double median_a = 0, median_b = 0;
  std::string candidate_a, candidate_b;
  Interval ratio;         // B / A, 99 %
  double p = 1;           // two-sided U test; signed-rank test of the pairs where there are
  double p_adjusted = 1;  // Holm, over all workloads
  Change change = Change::kUnsure;
};

struct CompareResult {
  std::vector<WorkloadComparison> workloads;
  std::vector<std::string> only_a, only_b;  // in one set only: not compared, but told
  int Count(Change change) const;
};

// `paired`: sample i of A and of B were taken in the same block, and the ratio is the median of
// their ratios (whatever slowed a block down cancels); groups, where there are some, widen the
// interval by what they differ. Slower: adjusted p <= alpha and the whole
// interval above 1 + threshold. Faster: the mirror image. Same: the interval lies within the
// threshold on both sides. Anything else is "unsure": more samples would tell.
CompareResult CompareSets(const SampleSet& a, const SampleSet& b, bool paired,
                          const CompareRules& rules, int resamples = 2000);

// "1 faster, 0 slower, 7 the same within 2.0 %, 0 unsure"
std::string SummaryText(const CompareResult& result, const CompareRules& rules);
std::string CompareText(const CompareResult& result, const CompareRules& rules);  // terminal
std::string CompareMarkdown(const CompareResult& result,
                            const CompareRules& rules);  // pull request
std::string CompareCsv(const CompareResult& result);

}  // namespace trit
