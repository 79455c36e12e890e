// Charts as SVG text, written here: no library, no script, no network. Colours come from CSS
// variables of the page, so that light, dark and print follow the reader's setting.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trit {

std::string EscapeHtml(std::string_view text);

struct ChartSeries {
  struct Point {
    double x, y;
    std::string title;      // shown by the browser when pointed at
    std::string href = {};  // where a click leads, e.g. "#r7"
  };
  std::string name;
  std::vector<Point> points;
  bool line = false;  // joined, else dots
  bool step = false;  // joined by steps: "best so far"
  bool dots = true;
  bool dashed = false;
  int colour = -1;  // 0 .. 7; -1 = by its place among the series
};

struct ChartOptions {
  std::string title, x_label, y_label;
  bool log_x = false, log_y = false;
  double y_roof = 0;  // a dashed line; 0 = none
  std::string roof_label;
};

// Up to eight series get colours of their own. Points that cannot be drawn (not finite, or not
// positive on a logarithmic axis) are left out. A chart without points says so.
std::string Chart(const std::vector<ChartSeries>& series, const ChartOptions& options);

// Horizontal intervals around 1: one row a workload.
struct IntervalRow {
  std::string name, verdict;  // verdict = CSS class: same, faster, slower, unsure
  double centre = 1, low = 1, high = 1;
};
std::string IntervalChart(const std::vector<IntervalRow>& rows, const std::string& title);

// One line over time, small: many of them stand side by side. `changes` are points where a new
// level begins; each is marked, and `note` says by how much.
struct HistoryChange {
  int at = 0;
  std::string note, verdict;  // verdict = CSS class: faster, slower
};
std::string HistoryChart(const std::string& title, const std::vector<ChartSeries::Point>& points,
                         const std::vector<HistoryChange>& changes, const std::string& unit);

// One row of a ratio plot, as wide as its place: the interval on a logarithmic axis from low to
// high of the whole plot, a mark at 1 and lines at the thresholds.
struct RatioScale {
  double low = 0.9, high = 1.1, threshold = 0.02;
};
std::string RatioBar(const IntervalRow& row, const RatioScale& scale);

// A whole page: title, body; style for light, dark, phone and print inside.
std::string Page(const std::string& title, const std::string& body);

}  // namespace trit
