#include "autotune/compare/compare.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "autotune/records/database.h"
#include "autotune/stats/holm.h"
#include "autotune/stats/mann_whitney.h"
#include "autotune/stats/robust.h"
#include "autotune/stats/signed_rank.h"
#include "targets/base/error.h"

namespace trit {
namespace {

std::string Number(const char* format, double x) {
  char text[64];
  std::snprintf(text, sizeof(text), format, x);
  return text;
}

std::string IntervalText(const Interval& i) {
  return Join(Number("%.4f", i.centre), " [", Number("%.4f", i.low), ", ", Number("%.4f", i.high),
              "]");
}

}  // namespace

const char* ChangeName(Change change) {
  switch (change) {
    case Change::kSame:
      return "same";
    case Change::kFaster:
      return "faster";
    case Change::kSlower:
      return "slower";
    case Change::kUnsure:
      return "unsure";
  }
  return "?";
}

int CompareResult::Count(Change change) const {
  return static_cast<int>(std::count_if(workloads.begin(), workloads.end(),
                                        [&](const auto& w) { return w.change == change; }));
}

std::string SummaryText(const CompareResult& r, const CompareRules& rules) {
  return Join(r.Count(Change::kFaster), " faster, ", r.Count(Change::kSlower), " slower, ",
              r.Count(Change::kSame), " the same within ", Number("%.1f", 100 * rules.threshold),
              " %, ", r.Count(Change::kUnsure), " unsure");
}

CompareResult CompareSets(const SampleSet& a, const SampleSet& b, bool paired,
                          const CompareRules& rules, int resamples) {
  CompareResult result;
  std::vector<double> p;
  for (const auto& [name, in_a] : a) {
    const auto in_b = b.find(name);
    if (in_b == b.end() || in_b->second.ns.empty() || in_a.ns.empty()) {
      result.only_a.push_back(name);
      continue;
    }
    WorkloadComparison w;
    w.workload = name;
    const std::vector<double>& x = in_a.ns;
    const std::vector<double>& y = in_b->second.ns;
    w.samples_a = static_cast<int>(x.size());
    w.samples_b = static_cast<int>(y.size());
    w.median_a = Median(x);
    w.median_b = Median(y);
    w.candidate_a = in_a.candidate;
    w.candidate_b = in_b->second.candidate;
    // 99 %: an interval that must exclude the threshold alone, not once in twenty workloads.
    const bool pairs = paired && x.size() == y.size();
    w.ratio = pairs && in_a.group.size() == x.size()
                  ? MedianOfRatios(y, x, in_a.group, 0.99, resamples)
              : pairs ? MedianOfRatios(y, x, 0.99, resamples)
                      : RatioOfMedians(y, x, 0.99, resamples);
    if (pairs) {
      w.p = PairedP(y, x);
    } else {
      w.p = MannWhitney(x, y).p_two_sided;
    }
    p.push_back(w.p);
    result.workloads.push_back(w);
  }
  for (const auto& [name, in_b] : b) {
    if (!a.contains(name)) result.only_b.push_back(name);
  }
  const std::vector<double> adjusted = HolmAdjust(p);
  for (size_t i = 0; i < p.size(); ++i) {
    WorkloadComparison& w = result.workloads[i];
    w.p_adjusted = adjusted[i];
    const double upper = 1 + rules.threshold, lower = 1 / upper;
    if (w.p_adjusted <= rules.alpha && w.ratio.low > upper)
      w.change = Change::kSlower;
    else if (w.p_adjusted <= rules.alpha && w.ratio.high < lower)
      w.change = Change::kFaster;
    else if (w.ratio.low >= lower && w.ratio.high <= upper)
      w.change = Change::kSame;
  }
  return result;
}

std::string CompareText(const CompareResult& r, const CompareRules& rules) {
  std::string out;
  for (const WorkloadComparison& w : r.workloads) {
    char line[512];
    std::snprintf(line, sizeof(line), "%-6s %-44s %11.1f us %11.1f us  B/A %s  p %.2g (%d, %d)\n",
                  ChangeName(w.change), w.workload.substr(0, 200).c_str(), w.median_a / 1e3,
                  w.median_b / 1e3, IntervalText(w.ratio).c_str(), w.p_adjusted, w.samples_a,
                  w.samples_b);
    out += line;
    if (w.candidate_a != w.candidate_b) {
      out += Join("       A: ", w.candidate_a, "\n       B: ", w.candidate_b, "\n");
    } else if (w.change != Change::kSame && !w.candidate_a.empty()) {
      out += Join("       both: ", w.candidate_a, "\n");
    }
  }
  for (const std::string& name : r.only_a) out += Join("only in A: ", name, "\n");
  for (const std::string& name : r.only_b) out += Join("only in B: ", name, "\n");
  return Join(out, SummaryText(r, rules), "\n");
}

std::string CompareMarkdown(const CompareResult& r, const CompareRules& rules) {
  std::string out = Join("**", SummaryText(r, rules),
                         "**\n\n| | workload | A us | B us | B/A [99 %] | p (Holm) |\n"
                         "|---|---|---:|---:|---|---:|\n");
  for (const WorkloadComparison& w : r.workloads) {
    out += Join("| ", std::string_view(ChangeName(w.change)), " | ", w.workload, " | ",
                Number("%.1f", w.median_a / 1e3), " | ", Number("%.1f", w.median_b / 1e3), " | ",
                IntervalText(w.ratio), " | ", Number("%.2g", w.p_adjusted), " |\n");
  }
  for (const std::string& name : r.only_a) out += Join("| only in A | ", name, " | | | | |\n");
  for (const std::string& name : r.only_b) out += Join("| only in B | ", name, " | | | | |\n");
  return out;
}

std::string CompareCsv(const CompareResult& r) {
  std::string out =
      "workload,change,median_a_ns,median_b_ns,ratio,ratio_low,ratio_high,p,p_holm,samples_a,"
      "samples_b\n";
  for (const WorkloadComparison& w : r.workloads) {
    std::string quoted = w.workload;
    for (size_t at = 0; (at = quoted.find('"', at)) != std::string::npos; at += 2) {
      quoted.insert(at, 1, '"');
    }
    out += Join("\"", quoted, "\",", std::string_view(ChangeName(w.change)), ",", w.median_a, ",",
                w.median_b, ",", w.ratio.centre, ",", w.ratio.low, ",", w.ratio.high, ",", w.p, ",",
                w.p_adjusted, ",", w.samples_a, ",", w.samples_b, "\n");
  }
  return out;
}

}  // namespace trit
