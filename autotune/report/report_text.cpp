// The report as Markdown and as CSV.
#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "autotune/report/report.h"
#include "autotune/stats/robust.h"
#include "targets/base/error.h"

namespace trit {
namespace {

std::string Format(const char* format, double x) {
  char text[64];
  std::snprintf(text, sizeof(text), format, x);
  return text;
}

std::string Row(const WorkloadComparison& w) {
  return Join("| ", std::string_view(ChangeName(w.change)), " | ", w.workload, " | ",
              Format("%.1f", w.median_a / 1e3), " | ", Format("%.1f", w.median_b / 1e3), " | ",
              Format("%.4f", w.ratio.centre), " [", Format("%.4f", w.ratio.low), ", ",
              Format("%.4f", w.ratio.high), "] | ", Format("%.2g", w.p_adjusted), " |\n");
}

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    out += c;
    if (c == '"') out += c;
  }
  return out + "\"";
}

}  // namespace

std::string ReportMarkdown(const Report& report) {
  constexpr const char* kHead =
      "| | workload | base us | head us | head/base [99 %] | p (Holm) |\n"
      "|---|---|---:|---:|---|---:|\n";
  std::string out;
  if (report.result.workloads.empty()) {
    out += Join("**", report.now.size(), " workloads, nothing to compare with**\n\n");
  } else {
    out += Join("**", SummaryText(report.result, report.rules), "**\n\n", report.head.label,
                " against ", report.base.label, ".\n\n");
    std::string changed, rest;
    for (const WorkloadComparison* w : ByInterest(report.result)) {
      const bool moved = w->change == Change::kSlower || w->change == Change::kFaster;
      (moved ? changed : rest) += Row(*w);
    }
    if (!changed.empty()) out += kHead + changed + "\n";
    if (!rest.empty()) {
      out += Join("<details><summary>the others</summary>\n\n", std::string_view(kHead), rest,
                  "\n</details>\n\n");
    }
    for (const std::string& name : report.result.only_a) out += Join("- gone: ", name, "\n");
    for (const std::string& name : report.result.only_b) out += Join("- new: ", name, "\n");
  }
  if (report.result.workloads.empty()) {
    out += "| workload | us | of read roof | of multiply roof |\n|---|---:|---:|---:|\n";
    for (const Measurement* m : report.now) {
      out += Join("| ", m->workload, " | ", Format("%.1f", m->MedianNs() / 1e3), " | ",
                  Format("%.0f %%", 100 * m->ReadRoofFraction()), " | ",
                  Format("%.0f %%", 100 * m->OpsRoofFraction()), " |\n");
    }
    out += "\n";
  }
  for (const History& h : report.histories) {
    for (const ChangePoint& c : h.changes) {
      const Measurement& at = *h.points[static_cast<size_t>(c.at)].measurement;
      out += Join("- step of ", h.workload, " at ", TimeText(at.time_s),
                  at.commit.empty() ? "" : " (" + at.commit + ")", ": ",
                  Format("%.1f", c.before / 1e3), " to ", Format("%.1f us", c.after / 1e3), "\n");
    }
  }
  std::set<std::string> builds;
  for (const Measurement& m : report.head.measurements) builds.insert(m.build);
  out += Join("\nHost: ", report.head.measurements.front().host, ".");
  for (const std::string& build : builds) out += Join(" Build: ", build, ".");
  return out + "\n";
}

std::string ReportCsv(const Report& report) {
  std::string out =
      "workload,change,base_ns,head_ns,ratio,ratio_low,ratio_high,p_holm,base_samples,head_samples,"
      "bytes,ops,read_roof_fraction,multiply_roof_fraction,base_candidate,head_candidate\n";
  std::map<std::string, const WorkloadComparison*> compared;
  for (const WorkloadComparison& w : report.result.workloads) compared[w.workload] = &w;
  const SampleSet head = BestOfEach(report.head.measurements);
  for (const Measurement* m : report.now) {
    const auto found = compared.find(m->workload);
    out += Quoted(m->workload);
    if (found != compared.end()) {
      const WorkloadComparison& w = *found->second;
      out += Join(",", std::string_view(ChangeName(w.change)), ",", Format("%.1f", w.median_a), ",",
                  Format("%.1f", w.median_b), ",", Format("%.6f", w.ratio.centre), ",",
                  Format("%.6f", w.ratio.low), ",", Format("%.6f", w.ratio.high), ",",
                  Format("%.3g", w.p_adjusted), ",", w.samples_a, ",", w.samples_b);
    } else {
      out += Join(",,,", Format("%.1f", Median(head.at(m->workload).ns)), ",,,,,,",
                  head.at(m->workload).ns.size());
    }
    out += Join(",", Format("%.0f", m->bytes), ",", Format("%.0f", m->ops), ",",
                Format("%.4f", m->ReadRoofFraction()), ",", Format("%.4f", m->OpsRoofFraction()),
                ",", Quoted(found == compared.end() ? "" : found->second->candidate_a), ",",
                Quoted(m->candidate), "\n");
  }
  return out;
}

}  // namespace trit
