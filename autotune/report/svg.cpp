#include "autotune/report/svg.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr double kWidth = 720, kHeight = 320, kLeft = 70, kRight = 16, kTop = 34, kBottom = 48;

std::string Number(double x) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f", x);
  return text;
}

std::string Label(double x) {
  char text[32];
  // A tick at 0 is summed up from steps and may come out as -1e-17.
  std::snprintf(text, sizeof(text), "%.4g", std::fabs(x) < 1e-12 ? 0.0 : x);
  return text;
}

struct Axis {
  double low = 0, high = 1;
  bool log = false;
  double from = 0, to = 1;  // on the page
  double At(double x) const {
    const double share = log ? (std::log(x) - std::log(low)) / (std::log(high) - std::log(low))
                             : (x - low) / (high - low);
    return from + share * (to - from);
  }
  std::vector<double> Ticks() const {
    std::vector<double> out;
    if (log) {
      for (double decade = std::pow(10, std::floor(std::log10(low))); decade <= high;
           decade *= 10) {
        for (const double step : {1, 2, 5}) {
          if (decade * step >= low && decade * step <= high) out.push_back(decade * step);
        }
      }
      if (out.size() >= 2) return out;
      return {low, high};
    }
    const double raw = (high - low) / 5;
    const double magnitude = std::pow(10, std::floor(std::log10(raw)));
    double step = magnitude;
    for (const double nice : {1.0, 2.0, 5.0, 10.0}) {
      step = nice * magnitude;
      if (step >= raw) break;
    }
    for (double x = std::ceil(low / step) * step; x <= high + step * 1e-9; x += step) {
      out.push_back(x);
    }
    return out;
  }
};

void Widen(Axis* axis, double low, double high) {
  if (axis->log) {
    axis->low = low / 1.1, axis->high = high * 1.1;
  } else {
    const double room = high > low ? 0.05 * (high - low) : std::max(0.5, std::fabs(high) * 0.05);
    axis->low = low - room, axis->high = high + room;
  }
}

std::string Text(double x, double y, const char* anchor, const std::string& text,
                 const char* extra = "") {
  return Join("<text x=\"", Number(x), "\" y=\"", Number(y), "\" text-anchor=\"",
              std::string_view(anchor), "\" ", std::string_view(extra), ">", EscapeHtml(text),
              "</text>");
}

std::string Line(double x1, double y1, double x2, double y2, const char* css) {
  return Join("<line x1=\"", Number(x1), "\" y1=\"", Number(y1), "\" x2=\"", Number(x2), "\" y2=\"",
              Number(y2), "\" class=\"", std::string_view(css), "\"/>");
}

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Chart(const std::vector<ChartSeries>& series, const ChartOptions& o) {
  const auto drawable = [&](const ChartSeries::Point& p) {
    return std::isfinite(p.x) && std::isfinite(p.y) && (!o.log_x || p.x > 0) &&
           (!o.log_y || p.y > 0);
  };
  double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
  for (const ChartSeries& s : series) {
    for (const auto& p : s.points) {
      if (!drawable(p)) continue;
      x_low = std::min(x_low, p.x), x_high = std::max(x_high, p.x);
      y_low = std::min(y_low, p.y), y_high = std::max(y_high, p.y);
    }
  }
  std::string out =
      Join("<figure><svg viewBox=\"0 0 ", kWidth, " ", kHeight, "\" role=\"img\" aria-label=\"",
           EscapeHtml(o.title), "\">", Text(kLeft, 18, "start", o.title, "class=\"title\""));
  if (!std::isfinite(x_low)) {
    return Join(out, Text(kWidth / 2, kHeight / 2, "middle", "nothing was measured"),
                "</svg></figure>\n");
  }
  if (o.y_roof > 0) y_low = std::min(y_low, o.y_roof), y_high = std::max(y_high, o.y_roof);
  Axis x{0, 1, o.log_x, kLeft, kWidth - kRight}, y{0, 1, o.log_y, kHeight - kBottom, kTop};
  Widen(&x, x_low, x_high);
  Widen(&y, y_low, y_high);
  for (const double tick : x.Ticks()) {
    out += Line(x.At(tick), kTop, x.At(tick), kHeight - kBottom, "grid");
    out += Text(x.At(tick), kHeight - kBottom + 16, "middle", Label(tick));
  }
  for (const double tick : y.Ticks()) {
    out += Line(kLeft, y.At(tick), kWidth - kRight, y.At(tick), "grid");
    out += Text(kLeft - 6, y.At(tick) + 4, "end", Label(tick));
  }
  out += Text((kLeft + kWidth - kRight) / 2, kHeight - 10, "middle", o.x_label);
  out += Join("<text transform=\"translate(16 ", Number((kTop + kHeight - kBottom) / 2),
              ") rotate(-90)\" text-anchor=\"middle\">", EscapeHtml(o.y_label), "</text>");
  if (o.y_roof > 0) {
    out += Line(kLeft, y.At(o.y_roof), kWidth - kRight, y.At(o.y_roof), "roof");
    out += Text(kWidth - kRight, y.At(o.y_roof) - 4, "end", o.roof_label);
  }
  std::string legend;
  for (size_t i = 0; i < series.size(); ++i) {
    const ChartSeries& s = series[i];
    const size_t colour = s.colour >= 0 ? static_cast<size_t>(s.colour) % 8 : i % 8;
    if (s.line) {
      std::string path;
      double last_y = 0;
      for (const auto& p : s.points) {
        if (!drawable(p)) continue;
        if (!path.empty() && s.step) path += Join(" L", Number(x.At(p.x)), " ", Number(last_y));
        path += Join(path.empty() ? "M" : " L", Number(x.At(p.x)), " ", Number(y.At(p.y)));
        last_y = y.At(p.y);
      }
      out += Join("<path d=\"", path, "\" class=\"line", s.dashed ? " dashed" : "", " c", colour,
                  "\"/>");
    }
    for (const auto& p : s.points) {
      if (!s.dots || !drawable(p)) continue;
      if (!p.href.empty()) out += Join("<a href=\"", EscapeHtml(p.href), "\">");
      out += Join("<circle cx=\"", Number(x.At(p.x)), "\" cy=\"", Number(y.At(p.y)), "\" r=\"",
                  std::string_view(s.line ? "2" : "3.5"), "\" class=\"dot c", colour, "\"><title>",
                  EscapeHtml(p.title), "</title></circle>");
      if (!p.href.empty()) out += "</a>";
    }
    legend += Join("<span class=\"key c", colour, "\"></span>", EscapeHtml(s.name), " ");
  }
  return Join(out, "</svg><figcaption>", legend, "</figcaption></figure>\n");
}

std::string IntervalChart(const std::vector<IntervalRow>& rows, const std::string& title) {
  const double height = kTop + 22.0 * static_cast<double>(rows.size()) + 40;
  Axis x{1, 1, true, 300, kWidth - kRight};
  double low = 0.97, high = 1.03;
  for (const IntervalRow& row : rows) low = std::min(low, row.low), high = std::max(high, row.high);
  Widen(&x, low, high);
  std::string out = Join("<figure><svg viewBox=\"0 0 ", kWidth, " ", height, "\" role=\"img\">",
                         Text(8, 18, "start", title, "class=\"title\""));
  out += Line(x.At(1), kTop - 6, x.At(1), height - 34, "roof");
  for (const double tick : {x.low, 1.0, x.high}) {
    out += Text(x.At(tick), height - 14,
                tick == x.high  ? "end"
                : tick == x.low ? "start"
                                : "middle",
                Label(tick));
  }
  double at = kTop + 10;
  for (const IntervalRow& row : rows) {
    out += Text(292, at + 4, "end", row.name.substr(0, 46));
    out += Join("<g class=\"", row.verdict, "\"><title>", EscapeHtml(row.name), ": ",
                Label(row.centre), " [", Label(row.low), ", ", Label(row.high), "]</title>",
                Line(x.At(row.low), at, x.At(row.high), at, "interval"), "<circle cx=\"",
                Number(x.At(row.centre)), "\" cy=\"", Number(at), "\" r=\"4\"/></g>");
    at += 22;
  }
  return Join(out, "</svg></figure>\n");
}

std::string HistoryChart(const std::string& title, const std::vector<ChartSeries::Point>& points,
                         const std::vector<HistoryChange>& changes, const std::string& unit) {
  constexpr double kW = 300, kH = 110, kSide = 8, kUp = 24, kDown = 22;
  std::string out = Join("<figure class=\"history\"><figcaption>", EscapeHtml(title),
                         "</figcaption><svg viewBox=\"0 0 ", kW, " ", kH, "\" role=\"img\">");
  double low = INFINITY, high = -INFINITY;
  for (const auto& p : points) low = std::min(low, p.y), high = std::max(high, p.y);
  if (points.empty() || !std::isfinite(low) || !std::isfinite(high)) {
    return Join(out, "</svg></figure>\n");
  }
  // Noise of a per cent must not look like a cliff: at least 10 % of the level is shown.
  const double room = std::max(0.05 * high, 0.1 * (high - low));
  Axis x{0, static_cast<double>(std::max<size_t>(1, points.size() - 1)), false, kSide, kW - kSide};
  Axis y{low - room, high + room, false, kH - kDown, kUp};
  for (const HistoryChange& c : changes) {
    const double at = x.At(c.at - 0.5);
    out += Join("<g class=\"", c.verdict, "\">", Line(at, kUp, at, kH - kDown, "change"),
                Text(at, kUp - 8, at > kW / 2 ? "end" : "start", c.note, "class=\"note\""), "</g>");
  }
  std::string path;
  for (size_t i = 0; i < points.size(); ++i) {
    path += Join(path.empty() ? "M" : " L", Number(x.At(static_cast<double>(i))), " ",
                 Number(y.At(points[i].y)));
  }
  out += Join("<path d=\"", path, "\" class=\"line c0\"/>");
  for (size_t i = 0; i < points.size(); ++i) {
    out += Join("<a href=\"", EscapeHtml(points[i].href), "\"><circle cx=\"",
                Number(x.At(static_cast<double>(i))), "\" cy=\"", Number(y.At(points[i].y)),
                "\" r=\"3.5\" class=\"dot c0\"><title>", EscapeHtml(points[i].title),
                "</title></circle></a>");
  }
  out += Text(kSide, kH - 5, "start", Join(Label(points.front().y), unit));
  out += Text(kW - kSide, kH - 5, "end", Join(Label(points.back().y), unit));
  return Join(out, "</svg></figure>\n");
}

std::string RatioBar(const IntervalRow& row, const RatioScale& scale) {
  const Axis x{scale.low, scale.high, true, 1, 99};  // per cent of the width
  const auto at = [&](double ratio) {
    return Join(Number(x.At(std::clamp(ratio, scale.low, scale.high))), "%");
  };
  const auto vertical = [&](double ratio, const char* css) {
    return Join("<line x1=\"", at(ratio), "\" y1=\"0\" x2=\"", at(ratio), "\" y2=\"20\" class=\"",
                std::string_view(css), "\"/>");
  };
  return Join("<svg class=\"bar\" height=\"20\">", vertical(1 / (1 + scale.threshold), "grid"),
              vertical(1 + scale.threshold, "grid"), vertical(1, "roof"), "<g class=\"",
              row.verdict, "\"><title>", EscapeHtml(row.name), ": ", Label(row.centre), " [",
              Label(row.low), ", ", Label(row.high), "]</title><line x1=\"", at(row.low),
              "\" y1=\"10\" x2=\"", at(row.high), "\" y2=\"10\" class=\"interval\"/><circle cx=\"",
              at(row.centre), "\" cy=\"10\" r=\"4\"/></g></svg>");
}

std::string Page(const std::string& title, const std::string& body) {
  return Join(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
      "<link rel=\"icon\" href=\"data:,\"><title>",
      EscapeHtml(title), "</title>\n<style>\n",
      ":root{--fg:#1b1f24;--bg:#fff;--soft:#d9dee3;--muted:#57606a;--good:#1a7f37;--bad:#cf222e;"
      "--s0:#0969da;--s1:#bf3989;--s2:#1a7f37;--s3:#bc4c00;--s4:#8250df;--s5:#1b7c83;--s6:#9a6700;"
      "--s7:#6e7781}\n"
      "@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0d1117;--soft:#30363d;"
      "--muted:#9198a1;--good:#3fb950;--bad:#f85149;--s0:#58a6ff;--s1:#f778ba;--s2:#3fb950;"
      "--s3:#f0883e;--s4:#bc8cff;--s5:#39c5cf;--s6:#d29922;--s7:#8b949e}}\n"
      "@media print{:root{--fg:#000;--bg:#fff}figure{break-inside:avoid}}\n"
      "body{font:15px/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg);margin:0 auto;"
      "max-width:60rem;padding:1rem}\n"
      "h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}p,figcaption{color:var(--muted)}\n"
      ".scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
      "td,th{padding:.25rem .6rem;border-bottom:1px solid var(--soft);text-align:right;"
      "white-space:nowrap}td.t,th.t{text-align:left}\n"
      "a{color:var(--s0)}a:focus-visible{outline:2px solid "
      "var(--s0)}:target{background:var(--soft)}"
      "summary{cursor:pointer}code{overflow-wrap:anywhere}dt{font-weight:600}dd{margin:0 0 .5rem}"
      "dd,li{overflow-wrap:anywhere}"
      ".counts{display:flex;flex-wrap:wrap;gap:.5rem 2rem;margin:1rem 0;padding:0;list-style:none}"
      ".counts b{display:block;font-size:1.8rem;line-height:1.2;color:var(--fg)}"
      ".counts .faster b{color:var(--good)}.counts .slower b{color:var(--bad)}"
      ".ratios{display:grid;grid-template-columns:minmax(0,22rem) 1fr max-content;gap:.1rem .8rem;"
      "align-items:center;font-variant-numeric:tabular-nums;font-size:.9rem}"
      ".ratios span{overflow-wrap:anywhere}.ratios .faster,.ratios .slower,.ratios .same,"
      ".ratios .unsure{stroke-width:0}.ratios svg g{stroke-width:2}"
      "@media(max-width:40rem){.ratios{grid-template-columns:1fr max-content}"
      ".ratios .name{grid-column:1/-1;margin-top:.5rem}}\n"
      ".histories{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:0 "
      "1rem}"
      ".history{margin:.5rem 0}.history figcaption{font-size:.8rem}"
      ".change{stroke-width:2;stroke-dasharray:3 2}svg g.faster "
      "text.note{fill:var(--good);stroke:none}"
      "svg g.slower text.note{fill:var(--bad);stroke:none}.dashed{stroke-dasharray:6 4}"
      ".wide{overflow-x:auto}.wide svg{min-width:36rem}svg.bar{height:20px;display:block}\n"
      "figure{margin:1rem 0}svg{width:100%;height:auto}svg text{fill:var(--muted);font-size:11px}"
      "svg text.title{fill:var(--fg);font-size:14px;font-weight:600}\n"
      ".grid{stroke:var(--soft)}.roof{stroke:var(--muted);stroke-dasharray:5 4}"
      ".line{fill:none;stroke-width:2}.interval{stroke-width:2}.dot{stroke:none;opacity:.8}\n",
      "path.c0{stroke:var(--s0)}path.c1{stroke:var(--s1)}path.c2{stroke:var(--s2)}"
      "path.c3{stroke:var(--s3)}path.c4{stroke:var(--s4)}path.c5{stroke:var(--s5)}"
      "path.c6{stroke:var(--s6)}path.c7{stroke:var(--s7)}\n"
      "circle.c0{fill:var(--s0)}circle.c1{fill:var(--s1)}circle.c2{fill:var(--s2)}"
      "circle.c3{fill:var(--s3)}circle.c4{fill:var(--s4)}circle.c5{fill:var(--s5)}"
      "circle.c6{fill:var(--s6)}circle.c7{fill:var(--s7)}\n"
      ".key{display:inline-block;width:.8em;height:.8em;border-radius:50%;margin:0 .3em 0 .8em}"
      ".key.c0{background:var(--s0)}.key.c1{background:var(--s1)}.key.c2{background:var(--s2)}"
      ".key.c3{background:var(--s3)}.key.c4{background:var(--s4)}.key.c5{background:var(--s5)}"
      ".key.c6{background:var(--s6)}.key.c7{background:var(--s7)}\n"
      ".same,.unsure{stroke:var(--muted);fill:var(--muted)}"
      ".faster{stroke:var(--good);fill:var(--good)}.slower{stroke:var(--bad);fill:var(--bad)}"
      "td.faster{color:var(--good)}td.slower{color:var(--bad)}\n",
      "</style></head><body>\n", body, "</body></html>\n");
}

}  // namespace trit
