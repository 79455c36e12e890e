#include "autotune/report/tuning_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "autotune/report/svg.h"
#include "autotune/search/search.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Json = nlohmann::json;

std::string Fixed(double x, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", digits, x);
  return text;
}

std::string Cell(const std::string& text, const char* css = "") {
  return Join("<td class=\"", std::string_view(css), "\">", EscapeHtml(text), "</td>");
}

std::string FamilyOf(const std::string& candidate) {
  return candidate.substr(0, candidate.find(' '));
}

std::string Decisions(const Json& j) {
  std::string out =
      "<h2>Decisions</h2><div class=\"scroll\"><table id=\"choices\"><tr><th>N x K</th><th>M</th>"
      "<th>threads</th><th>default us</th><th>tuned us</th><th>ratio [95 %]</th><th>roof</th>"
      "<th class=\"t\">kernel and reason</th></tr>\n";
  std::vector<IntervalRow> rows;
  for (const Json& c : j.at("choices")) {
    const bool promoted = c.at("promoted");
    const double before = c.at("incumbent_ns"), after = c.at("winner_ns");
    const Json& ratio = c.at("ratio");
    const std::string shape = Join(c.at("n").get<int>(), " x ", c.at("k").get<int>());
    const double centre = ratio.at("centre"), low = ratio.at("low"), high = ratio.at("high");
    const char* verdict = !promoted ? "same" : high < 1 ? "faster" : low > 1 ? "slower" : "same";
    out +=
        Join("<tr>", Cell(shape), Cell(std::to_string(c.at("m").get<int>())),
             Cell(std::to_string(c.at("threads").get<int>())),
             Cell(before > 0 ? Fixed(before / 1e3, 1) : "not measured"),
             Cell(before > 0 ? Fixed((promoted ? after : before) / 1e3, 1) : ""),
             Cell(promoted ? Join(Fixed(centre, 3), " [", Fixed(low, 3), ", ", Fixed(high, 3), "]")
                           : std::string("1"),
                  verdict));
    out += Join(Cell(Join(Fixed(100 * c.at("fraction_of_roof").get<double>(), 0), " %")),
                Cell(Join(c.at(promoted ? "winner" : "incumbent").get<std::string>(), ": ",
                          c.at("reason").get<std::string>()),
                     "t"),
                "</tr>\n");
    if (promoted) {
      rows.push_back({Join(shape, " M=", c.at("m").get<int>(), " t=", c.at("threads").get<int>()),
                      verdict, centre, low, high});
    }
  }
  out += "</table></div>\n";
  if (!rows.empty()) out += IntervalChart(rows, "Tuned time as a share of the default's");
  return out;
}

std::string Convergence(const Json& j) {
  std::string out =
      "<h2>Convergence</h2><p>Best time so far against rounds spent, as a multiple of "
      "the search's final best.</p>\n";
  std::vector<ChartSeries> series;
  for (const Json& stage : j.at("stages")) {
    ChartSeries s;
    s.name = Join(stage.at("name").get<std::string>(), " (", stage.at("space").get<int>(),
                  " candidates, stopped by ", stage.at("stopped").get<std::string>(), ")");
    s.line = s.step = true;
    const Json& steps = stage.at("steps");
    const double best = steps.empty() ? 0 : steps.back().at("best_ns").get<double>();
    for (const Json& step : steps) {
      const double ns = step.at("best_ns");
      if (ns <= 0 || best <= 0) continue;
      s.points.push_back(
          {step.at("rounds"), ns / best,
           Join(step.at("points").get<int>(), " candidates, ", Fixed(ns / 1e3, 1), " us")});
    }
    if (!s.points.empty()) series.push_back(std::move(s));
  }
  ChartOptions o;
  o.title = "How the searches converged";
  o.x_label = "rounds";
  o.y_label = "best so far / final best";
  return Join(out, Chart(series, o));
}

struct Best {
  double ns = INFINITY;
  double roof = 0;
};

// Every candidate that was timed, slowest families last, and the best of each family.
std::string LandscapeAndFamilies(std::span<const Record> records) {
  // workload -> family -> candidate -> samples
  std::map<std::string, std::map<std::string, std::map<std::string, Best>>> all;
  for (const Record& r : records) {
    if (r.status != CheckStatus::kOk) continue;
    Best& best =
        all[Join(r.workload.Text(), " threads=", r.threads)][FamilyOf(r.candidate)][r.candidate];
    best.ns = std::min(best.ns, EstimateNs(r.samples_ns));
    best.roof = std::max(best.roof, r.FractionOfRoof());
  }
  std::string out =
      "<h2>Schedule landscape</h2><p>Every candidate that was timed, the fastest "
      "first. Only workloads with at least ten.</p>\n";
  for (const auto& [workload, families] : all) {
    struct Dot {
      double ns;
      std::string family, text;
    };
    std::vector<Dot> dots;
    for (const auto& [family, candidates] : families) {
      for (const auto& [text, best] : candidates) dots.push_back({best.ns, family, text});
    }
    if (dots.size() < 10) continue;
    std::sort(dots.begin(), dots.end(), [](const Dot& a, const Dot& b) { return a.ns < b.ns; });
    std::map<std::string, ChartSeries> series;
    for (size_t i = 0; i < dots.size(); ++i) {
      ChartSeries& s = series[dots[i].family];
      s.name = dots[i].family;
      s.points.push_back({static_cast<double>(i + 1), dots[i].ns / 1e3,
                          Join(dots[i].text, ": ", Fixed(dots[i].ns / 1e3, 1), " us")});
    }
    std::vector<ChartSeries> list;
    for (auto& [family, s] : series) list.push_back(std::move(s));
    ChartOptions o;
    o.title = workload;
    o.x_label = "rank";
    o.y_label = "us";
    o.log_y = dots.back().ns > 8 * dots.front().ns;
    out += Chart(list, o);
  }
  out +=
      "<h2>Families</h2><div class=\"scroll\"><table><tr><th class=\"t\">workload</th>"
      "<th class=\"t\">family</th><th>best us</th><th>against the best</th><th>roof</th>"
      "<th class=\"t\">candidate</th></tr>\n";
  for (const auto& [workload, families] : all) {
    double fastest = INFINITY;
    for (const auto& [family, candidates] : families) {
      for (const auto& [text, best] : candidates) fastest = std::min(fastest, best.ns);
    }
    for (const auto& [family, candidates] : families) {
      const auto best =
          std::min_element(candidates.begin(), candidates.end(),
                           [](const auto& a, const auto& b) { return a.second.ns < b.second.ns; });
      out += Join("<tr>", Cell(workload, "t"), Cell(family, "t"),
                  Cell(Fixed(best->second.ns / 1e3, 1)), Cell(Fixed(best->second.ns / fastest, 2)),
                  Cell(Join(Fixed(100 * best->second.roof, 0), " %")), Cell(best->first, "t"),
                  "</tr>\n");
    }
  }
  out += "</table></div>\n";
  std::map<std::string, int> failures;
  for (const Record& r : records) {
    if (r.status == CheckStatus::kOk) continue;
    ++failures[Join(std::string_view(CheckStatusName(r.status)), ": ", r.candidate, " (", r.detail,
                    ")")];
  }
  if (!failures.empty()) {
    out += "<h2>Candidates that failed</h2><ul>\n";
    for (const auto& [text, count] : failures) {
      out +=
          Join("<li>", EscapeHtml(text), count > 1 ? Join(", ", count, " times") : "", "</li>\n");
    }
    out += "</ul>\n";
  }
  return out;
}

}  // namespace

std::string TuningPage(const std::string& manifest, std::span<const Record> records) {
  const Json j = Json::parse(manifest, nullptr, false);
  if (!j.is_object() || j.value("tritforge_tuned", Json()) != 1) {
    throw Error("The manifest is not one of a tuned library.");
  }
  try {
    int promoted = 0;
    for (const Json& c : j.at("choices")) promoted += c.at("promoted").get<bool>();
    const std::string cpu = j.at("host").at("cpu");
    std::string body = Join(
        "<h1>Tuning of ", EscapeHtml(cpu), "</h1>\n<p>", promoted, " of ", j.at("choices").size(),
        " workloads got a faster kernel than the shipped one. Target ",
        EscapeHtml(j.at("target").get<std::string>()), ", ", j.at("host").at("cores").get<int>(),
        " cores, host ", EscapeHtml(j.at("host").at("key").get<std::string>()), ", build ",
        EscapeHtml(j.at("build").get<std::string>()), ". ", j.at("measured").get<int>(),
        " measurements in ", Fixed(j.at("seconds"), 1), " s of a budget of ",
        Fixed(j.at("budget_s"), 0), " s, ", j.at("failures").get<int>(), " failures, ",
        j.at("discarded_rounds").get<int>(),
        " disturbed rounds discarded; the reference kernel varied by ",
        Fixed(100 * j.at("noise").get<double>(), 1), " %.</p>\n");
    body += Decisions(j) + Convergence(j) + LandscapeAndFamilies(records);
    return Page(Join("Tuning of ", cpu), body);
  } catch (const nlohmann::json::exception& e) {
    throw Error(
        Join("The manifest of the tuned library is not whole: ", std::string_view(e.what()), "."));
  }
}

}  // namespace trit
