// The report as one HTML file: no script, no network. Each shown number stands beside the exact one
// in a data attribute, and each point links to its record at the end of the page.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "autotune/report/report.h"
#include "autotune/report/svg.h"
#include "autotune/stats/robust.h"
#include "targets/base/error.h"

namespace trit {
namespace {

std::string Format(const char* format, double x) {
  char text[64];
  std::snprintf(text, sizeof(text), format, x);
  return text;
}

std::string Microseconds(double ns) {
  return Format(ns < 1e5 ? "%.2f" : ns < 1e8 ? "%.1f" : "%.0f", ns / 1e3);
}

std::string Cell(const std::string& text, const std::string& attributes = "") {
  return Join("<td", attributes.empty() ? "" : " ", attributes, ">", EscapeHtml(text), "</td>");
}

std::string IntervalText(const Interval& i) {
  return Join(Format("%.4f", i.centre), " [", Format("%.4f", i.low), ", ", Format("%.4f", i.high),
              "]");
}

// Numbers the records that the page points to, in the order they are first named.
class Anchors {
 public:
  std::string Of(const Measurement* m) {
    const auto [at, is_new] =
        numbers_.emplace(std::tuple(m->session, m->file, m->line), order_.size() + 1);
    if (is_new) order_.push_back(m);
    return Join("#r", at->second);
  }
  std::string List() const {
    std::string out =
        "<h2>Records</h2>\n<p>Every record this page points to, with all samples.</p>\n";
    for (size_t i = 0; i < order_.size(); ++i) {
      const Measurement& m = *order_[i];
      std::string samples;
      for (const double ns : m.ns) samples += Join(samples.empty() ? "" : " ", Format("%.1f", ns));
      out += Join("<details id=\"r", i + 1, "\"><summary>", i + 1, ". ", EscapeHtml(m.workload),
                  ", median ", Microseconds(m.MedianNs()), " us</summary><p>", EscapeHtml(m.file),
                  ", line ", m.line, "; ", EscapeHtml(TimeText(m.time_s)), "; session ",
                  EscapeHtml(m.session));
      if (!m.commit.empty()) out += Join("; commit ", EscapeHtml(m.commit));
      out += Join("; ", EscapeHtml(m.build), "</p>");
      if (!m.candidate.empty()) out += Join("<p><code>", EscapeHtml(m.candidate), "</code></p>");
      out += Join("<p>", m.ns.size(), " samples in ns: <span class=\"samples\">", samples,
                  "</span></p></details>\n");
    }
    return out;
  }

 private:
  std::map<std::tuple<std::string, std::string, int>, size_t> numbers_;
  std::vector<const Measurement*> order_;
};

std::string Heading(const Report& r) {
  if (r.result.workloads.empty()) {
    return Join("<h1>Performance of ", EscapeHtml(r.head.label),
                "</h1>\n<p id=\"summary\" data-now=\"", r.now.size(), "\">", r.now.size(),
                " workloads; there is no earlier build to compare them with.</p>\n");
  }
  const auto count = [&](Change c) {
    return Join("<li class=\"", std::string_view(ChangeName(c)), "\"><b data-count=\"",
                std::string_view(ChangeName(c)), "\">", r.result.Count(c), "</b>",
                std::string_view(ChangeName(c)), "</li>");
  };
  std::string out =
      Join("<h1>", EscapeHtml(r.head.label), " against ", EscapeHtml(r.base.label),
           "</h1>\n<ul class=\"counts\" id=\"summary\">", count(Change::kSlower),
           count(Change::kFaster), count(Change::kSame), count(Change::kUnsure),
           "</ul>\n<p>Beyond ", Format("%.1f", 100 * r.rules.threshold),
           " % with the whole 99 % interval, at a chance of ", Format("%.2g", 100 * r.rules.alpha),
           " % for any false alarm among all workloads (Holm).</p>\n");
  std::string worst;
  int shown = 0;
  for (const WorkloadComparison* w : ByInterest(r.result)) {
    if (w->change != Change::kSlower || ++shown > 5) break;
    worst += Join("<li>", EscapeHtml(w->workload), ": <b class=\"slower\">",
                  Format("%+.1f %%", 100 * (w->ratio.centre - 1)), "</b> [",
                  Format("%+.1f", 100 * (w->ratio.low - 1)), ", ",
                  Format("%+.1f", 100 * (w->ratio.high - 1)), "]</li>\n");
  }
  if (!worst.empty()) out += Join("<h2>Worst offenders</h2>\n<ol id=\"worst\">", worst, "</ol>\n");
  return out;
}

std::string Ratios(const Report& r) {
  if (r.result.workloads.empty()) return "";
  RatioScale scale;
  scale.threshold = r.rules.threshold;
  for (const WorkloadComparison& w : r.result.workloads) {
    scale.low = std::min(scale.low, w.ratio.low / 1.01);
    scale.high = std::max(scale.high, w.ratio.high * 1.01);
  }
  scale.low = std::max(scale.low, 0.25), scale.high = std::min(scale.high, 4.0);
  std::string out =
      Join("<h2>Ratio of times</h2>\n<p>Head over base, axis from ", Format("%.2f", scale.low),
           " to ", Format("%.2f", scale.high),
           " (logarithmic); right of the middle is slower.</p>\n<div class=\"ratios\">\n");
  for (const WorkloadComparison* w : ByInterest(r.result)) {
    out += Join(
        "<span class=\"name\">", EscapeHtml(w->workload), "</span>",
        RatioBar({w->workload, ChangeName(w->change), w->ratio.centre, w->ratio.low, w->ratio.high},
                 scale),
        "<span>", IntervalText(w->ratio), "</span>\n");
  }
  return out + "</div>\n";
}

std::string Table(const Report& r, Anchors* anchors) {
  std::map<std::string, const Measurement*> head, base;
  for (const Measurement* m : r.now) head[m->workload] = m;
  const SampleSet base_set = BestOfEach(r.base.measurements),
                  head_set = BestOfEach(r.head.measurements);
  for (const Measurement& m : r.base.measurements) {
    if (base_set.at(m.workload).candidate == m.candidate) base[m.workload] = &m;
  }
  std::map<std::string, const WorkloadComparison*> compared;
  for (const WorkloadComparison& w : r.result.workloads) compared[w.workload] = &w;
  const bool comparing = !r.result.workloads.empty();
  std::string out = Join(
      "<h2>Workloads</h2>\n<div class=\"scroll\"><table id=\"workloads\"><tr>",
      comparing
          ? "<th class=\"t\"></th><th class=\"t\">workload</th><th>base us</th><th>head us</th>"
            "<th>head/base [99 %]</th><th>p</th>"
          : "<th class=\"t\">workload</th><th>us</th>",
      "<th>of read roof</th><th>of multiply roof</th><th class=\"t\">kernel</th></tr>\n");
  const auto linked = [&](const Measurement* m, double ns, const char* name) {
    return Join("<td data-", std::string_view(name), "-ns=\"", Format("%.1f", ns), "\"><a href=\"",
                anchors->Of(m), "\">", Microseconds(ns), "</a></td>");
  };
  const auto row = [&](const Measurement& m, const WorkloadComparison* w) {
    const char* verdict = w ? ChangeName(w->change) : "new";
    out += Join("<tr data-workload=\"", EscapeHtml(m.workload), "\" data-change=\"",
                std::string_view(verdict), "\">",
                comparing ? Cell(verdict, Join("class=\"t ", verdict, "\"")) : "",
                Cell(m.workload, "class=\"t\""),
                w           ? linked(base.at(m.workload), w->median_a, "base")
                : comparing ? "<td></td>"
                            : "",
                linked(&m, Median(head_set.at(m.workload).ns), "head"));
    out += !comparing ? std::string()
           : w        ? Join(Cell(IntervalText(w->ratio),
                                  Join("data-ratio=\"", Format("%.6f", w->ratio.centre), "\" class=\"",
                                       verdict, "\"")),
                             Cell(Format("%.2g", w->p_adjusted)))
                      : std::string("<td></td><td></td>");
    for (const double share : {m.ReadRoofFraction(), m.OpsRoofFraction()}) {
      out += share > 0 ? Cell(Format("%.0f %%", 100 * share),
                              Join("data-share=\"", Format("%.4f", share), "\""))
                       : "<td></td>";
    }
    std::string kernel = m.candidate;
    if (w && w->candidate_a != w->candidate_b) kernel = Join(w->candidate_a, " → ", w->candidate_b);
    out += Cell(kernel, "class=\"t\"") + "</tr>\n";
  };
  for (const WorkloadComparison* w : ByInterest(r.result)) row(*head.at(w->workload), w);
  for (const Measurement* m : r.now) {
    if (!compared.contains(m->workload)) row(*m, nullptr);
  }
  out += "</table></div>\n";
  for (const std::string& name : r.result.only_a)
    out += Join("<p>Gone: ", EscapeHtml(name), "</p>\n");
  return out;
}

std::string Roofline(const Report& r, Anchors* anchors) {
  struct Roofs {
    std::vector<double> bytes, ops;
  };
  std::map<int, Roofs> roofs;
  std::map<int, ChartSeries> dots;
  double low = INFINITY, high = 0;
  for (const Measurement* m : r.now) {
    if (m->bytes <= 0 || m->ops <= 0) continue;
    const double intensity = m->ops / m->bytes, rate = m->ops / m->MedianNs();
    low = std::min(low, intensity), high = std::max(high, intensity);
    ChartSeries& s = dots[m->threads];
    s.name = Join(m->threads, m->threads == 1 ? " thread" : " threads");
    s.points.push_back({intensity, rate,
                        Join(m->workload, ": ", Format("%.1f GMAC/s, ", rate),
                             Format("%.0f %% of the read roof, ", 100 * m->ReadRoofFraction()),
                             Format("%.0f %% of the multiply roof", 100 * m->OpsRoofFraction())),
                        anchors->Of(m)});
    if (m->roof_bytes_per_s > 0) roofs[m->threads].bytes.push_back(m->roof_bytes_per_s);
    if (m->roof_ops_per_s > 0) roofs[m->threads].ops.push_back(m->roof_ops_per_s);
  }
  if (dots.empty()) return "";
  std::vector<ChartSeries> series;
  std::string said;
  for (const auto& [threads, roof] : roofs) {
    if (roof.bytes.empty() || roof.ops.empty()) continue;
    const double bandwidth = Median(roof.bytes) / 1e9, peak = Median(roof.ops) / 1e9;
    ChartSeries s;
    s.line = s.dashed = true;
    s.dots = false;
    s.colour = static_cast<int>(series.size());
    s.name = Join("roofs, ", threads, threads == 1 ? " thread" : " threads");
    const double ridge = peak / bandwidth;
    const double left = std::min(low, ridge) / 1.5, right = std::max(high, ridge) * 1.5;
    s.points = {{left, bandwidth * left, ""}, {ridge, peak, ""}, {right, peak, ""}};
    dots[threads].colour = s.colour;
    series.push_back(std::move(s));
    said += Join(" ", threads, threads == 1 ? " thread: " : " threads: ", Format("%.1f", bandwidth),
                 " GB/s read, ", Format("%.0f", peak), " GMAC/s.");
  }
  for (auto& [threads, s] : dots) {
    if (s.colour < 0) s.colour = static_cast<int>(series.size());
    series.push_back(std::move(s));
  }
  ChartOptions o;
  o.title = "Work a byte and speed, beside the roofs measured with them";
  o.x_label = "multiply-accumulates a byte read";
  o.y_label = "GMAC/s";
  o.log_x = o.log_y = true;
  return Join(
      "<h2>Roofline</h2>\n<p>Measured roofs (medians of the readings beside each workload):", said,
      " A point leads to its record.</p>\n<div class=\"wide\">", Chart(series, o), "</div>\n");
}

std::string HistoryLines(const Report& r, Anchors* anchors) {
  if (r.histories.empty()) return "";
  std::string out =
      "<h2>History</h2>\n<p>Median time of each run, oldest left; a dashed line marks where the "
      "level "
      "changed for good.</p>\n<div class=\"histories\">\n";
  for (const History& h : r.histories) {
    std::vector<ChartSeries::Point> points;
    for (const HistoryPoint& p : h.points) {
      points.push_back({0, p.ns / 1e3,
                        Join(TimeText(p.measurement->time_s), " ", p.measurement->commit, ": ",
                             Microseconds(p.ns), " us"),
                        anchors->Of(p.measurement)});
    }
    std::vector<HistoryChange> changes;
    for (const ChangePoint& c : h.changes) {
      changes.push_back({c.at, Format("%+.1f %%", 100 * (c.after / c.before - 1)),
                         c.after > c.before ? "slower" : "faster"});
    }
    out += HistoryChart(h.workload, points, changes, " us");
  }
  return out + "</div>\n";
}

std::string Identity(const Report& r) {
  std::string out = "<h2>Builds and host</h2>\n<dl>\n<dt>Host</dt>";
  const Measurement& first = r.head.measurements.front();
  out += Join("<dd>", EscapeHtml(first.host), "; key ", EscapeHtml(first.host_key), "</dd>\n");
  for (const ReportSide* side : {&r.head, &r.base}) {
    if (side->measurements.empty()) continue;
    std::set<std::string> builds;
    int64_t from = INT64_MAX, to = 0;
    for (const Measurement& m : side->measurements) {
      builds.insert(m.commit.empty() ? m.build : Join("commit ", m.commit, ", ", m.build));
      from = std::min(from, m.time_s), to = std::max(to, m.time_s);
    }
    out += Join("<dt>", std::string_view(side == &r.head ? "Head: " : "Base: "),
                EscapeHtml(side->label), "</dt>");
    for (const std::string& build : builds) out += Join("<dd>", EscapeHtml(build), "</dd>");
    out += Join("<dd>", side->measurements.size(), " records, ", EscapeHtml(TimeText(from)), " to ",
                EscapeHtml(TimeText(to)), "</dd>\n");
  }
  out += "</dl>\n";
  if (r.other_hosts > 0) {
    out += Join("<p>", r.other_hosts, " records of other hosts are left out.</p>\n");
  }
  return out;
}

}  // namespace

std::string ReportPage(const Report& report) {
  Anchors anchors;
  std::string body = Heading(report) + Ratios(report) + Table(report, &anchors) +
                     Roofline(report, &anchors) + HistoryLines(report, &anchors) + Identity(report);
  body += anchors.List();
  return Page(report.result.workloads.empty() ? "Performance report"
                                              : SummaryText(report.result, report.rules),
              body);
}

}  // namespace trit
