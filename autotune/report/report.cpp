#include "autotune/report/report.h"

#include <algorithm>
#include <ctime>
#include <map>
#include <set>
#include <utility>

#include "targets/base/error.h"

namespace trit {
namespace {

std::string BuildLabel(const Measurement& m) {
  return m.commit.empty() ? m.build : Join("commit ", m.commit);
}

// The last two builds of a set that share a workload; one side alone when there are no two.
std::pair<ReportSide, ReportSide> SplitByBuild(const std::vector<Measurement>& all) {
  std::map<std::string, ReportSide> builds;
  std::map<std::string, int64_t> newest;
  for (const Measurement& m : all) {
    const std::string label = BuildLabel(m);
    builds[label].label = label;
    builds[label].measurements.push_back(m);
    newest[label] = std::max(newest[label], m.time_s);
  }
  std::vector<std::string> order;
  for (const auto& [label, side] : builds) order.push_back(label);
  std::stable_sort(order.begin(), order.end(), [&](const std::string& a, const std::string& b) {
    return newest[a] > newest[b];
  });
  ReportSide head = std::move(builds[order.front()]);
  std::set<std::string> known;
  for (const Measurement& m : head.measurements) known.insert(m.workload);
  for (size_t i = 1; i < order.size(); ++i) {
    ReportSide& side = builds[order[i]];
    const bool shares = std::any_of(side.measurements.begin(), side.measurements.end(),
                                    [&](const auto& m) { return known.contains(m.workload); });
    if (shares) return {std::move(side), std::move(head)};
  }
  return {ReportSide{}, std::move(head)};
}

// One point a workload and session: a run of a program.
std::vector<History> Histories(const std::vector<Measurement>& all) {
  std::map<std::string, std::map<std::string, HistoryPoint>> found;
  for (const Measurement& m : all) {
    HistoryPoint& point = found[m.workload][m.session];
    const double ns = m.MedianNs();
    if (!point.measurement || ns < point.ns) point = {&m, ns};
  }
  std::vector<History> out;
  for (auto& [workload, sessions] : found) {
    if (sessions.size() < 2) continue;
    History history;
    history.workload = workload;
    for (auto& [session, point] : sessions) history.points.push_back(point);
    std::stable_sort(history.points.begin(), history.points.end(),
                     [](const HistoryPoint& a, const HistoryPoint& b) {
                       return std::pair(a.measurement->time_s, a.measurement->line) <
                              std::pair(b.measurement->time_s, b.measurement->line);
                     });
    std::vector<double> series;
    for (const HistoryPoint& p : history.points) series.push_back(p.ns);
    history.changes = FindChangePoints(series);
    out.push_back(std::move(history));
  }
  return out;
}

}  // namespace

std::string TimeText(int64_t unix_s) {
  if (unix_s <= 0) return "";
  const std::time_t t = unix_s;
  std::tm utc{};
  char text[64];
  if (!gmtime_r(&t, &utc)) return "";
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &utc);
  return text;
}

std::unique_ptr<Report> BuildReport(std::vector<ReportSide> sets, const CompareRules& rules) {
  auto report = std::make_unique<Report>();
  report->rules = rules;
  const Measurement* newest = nullptr;
  for (const ReportSide& set : sets) {
    for (const Measurement& m : set.measurements) {
      if (!newest || m.time_s >= newest->time_s) newest = &m;
    }
  }
  if (!newest) throw Error("There is nothing to report: no measurement was read.");
  const std::string host = newest->host_key;
  for (ReportSide& set : sets) {
    report->other_hosts += static_cast<int>(
        std::erase_if(set.measurements, [&](const auto& m) { return m.host_key != host; }));
    report->all.insert(report->all.end(), set.measurements.begin(), set.measurements.end());
  }
  if (sets.size() == 1) {
    std::tie(report->base, report->head) = SplitByBuild(sets.front().measurements);
  } else {
    report->head = std::move(sets.back());
    report->base = std::move(sets[sets.size() - 2]);
  }
  if (report->head.measurements.empty()) {
    throw Error(Join(report->head.label, " holds nothing of the host measured last, ", host, "."));
  }
  const SampleSet head = BestOfEach(report->head.measurements);
  if (!report->base.measurements.empty()) {
    report->result = CompareSets(BestOfEach(report->base.measurements), head, false, rules);
  }
  report->histories = Histories(report->all);
  std::map<std::string, const Measurement*> now;
  for (const Measurement& m : report->head.measurements) {
    if (head.at(m.workload).candidate == m.candidate) now[m.workload] = &m;
  }
  for (const auto& [workload, m] : now) report->now.push_back(m);
  return report;
}

std::vector<const WorkloadComparison*> ByInterest(const CompareResult& result) {
  std::vector<const WorkloadComparison*> out;
  for (const WorkloadComparison& w : result.workloads) out.push_back(&w);
  const auto rank = [](const WorkloadComparison* w) {
    return w->change == Change::kSlower ? 0 : w->change == Change::kFaster ? 1 : 2;
  };
  std::stable_sort(out.begin(), out.end(),
                   [&](const WorkloadComparison* a, const WorkloadComparison* b) {
                     if (rank(a) != rank(b)) return rank(a) < rank(b);
                     if (rank(a) == 0) return a->ratio.centre > b->ratio.centre;
                     if (rank(a) == 1) return a->ratio.centre < b->ratio.centre;
                     return a->workload < b->workload;
                   });
  return out;
}

}  // namespace trit
