// What a performance report says: built once from measurements, then written as a page, as Markdown
// for a pull request or as CSV, so that all three hold the same numbers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "autotune/compare/compare.h"
#include "autotune/compare/measurements.h"
#include "autotune/stats/change.h"

namespace trit {

struct ReportSide {
  std::string label;
  std::vector<Measurement> measurements;  // may be empty: nothing to compare with
};

struct HistoryPoint {
  const Measurement* measurement;  // the fastest candidate of its workload in its session
  double ns;                       // median
};
struct History {
  std::string workload;
  std::vector<HistoryPoint> points;  // by time
  std::vector<ChangePoint> changes;  // indices into points
};

struct Report {
  ReportSide base, head;
  CompareRules rules;
  CompareResult result;                 // of base and head; empty without a base
  std::vector<History> histories;       // of the workloads measured in two sessions or more
  std::vector<Measurement> all;         // everything that was read, of one host
  int other_hosts = 0;                  // measurements left out: of another host than the newest
  std::vector<const Measurement*> now;  // head's workloads: the newest of the fastest candidate
};

// One set of measurements: base and head are its last two builds that share a workload (by commit,
// else by build). Several: the last one is head, the one before it base; all make the history. Only
// measurements of the newest one's host are used. Pointers are into the report: it is not copied.
std::unique_ptr<Report> BuildReport(std::vector<ReportSide> sets, const CompareRules& rules);

// Slower workloads first, the worst at the top; then faster ones, then the rest by name.
std::vector<const WorkloadComparison*> ByInterest(const CompareResult& result);

std::string ReportPage(const Report& report);
std::string ReportMarkdown(const Report& report);
std::string ReportCsv(const Report& report);

// "2026-11-21 03:16:41 UTC"; "" for 0.
std::string TimeText(int64_t unix_s);

}  // namespace trit
