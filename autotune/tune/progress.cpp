#include "autotune/tune/progress.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "targets/base/error.h"

namespace trit {
namespace {

std::string Fixed(double x, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", digits, x);
  return text;
}

std::string Column(const std::string& text, int width) {
  const auto length = static_cast<int>(text.size());
  return length >= width ? text : std::string(static_cast<size_t>(width - length), ' ') + text;
}

}  // namespace

std::string ProgressText(const TuneProgress& p) {
  constexpr int kBar = 20;
  const int full = std::clamp(static_cast<int>(std::lround(kBar * p.share_done)), 0, kBar);
  std::string text = Join("[", std::string(static_cast<size_t>(full), '#'),
                          std::string(static_cast<size_t>(kBar - full), '.'), "] ", p.stage);
  if (p.best_ns > 0) text.append(Join(": best ", Fixed(p.best_ns / 1e3, 1), " us"));
  if (p.fraction_of_roof > 0) {
    text.append(Join(", ", Fixed(100 * p.fraction_of_roof, 0), " % of the roof"));
  }
  return Join(text, ", ", p.measured, " measured, ", Fixed(p.seconds_left, 0), " s left");
}

void ProgressLine::Show(const TuneProgress& progress) {
  if (!is_terminal_) {
    if (progress.stage != last_stage_) {
      last_stage_ = progress.stage;
      std::fprintf(out_, "%s\n", ProgressText(progress).c_str());
      std::fflush(out_);
    }
    return;
  }
  std::string text = ProgressText(progress).substr(0, 118);
  const size_t length = text.size();
  if (text.size() < drawn_) text.append(drawn_ - text.size(), ' ');
  std::fprintf(out_, "\r%s", text.c_str());
  std::fflush(out_);
  drawn_ = length;
}

void ProgressLine::Clear() {
  if (drawn_ == 0) return;
  std::fprintf(out_, "\r%s\r", std::string(drawn_, ' ').c_str());
  std::fflush(out_);
  drawn_ = 0;
}

std::string ChoiceTable(const TuneResult& result) {
  std::string out =
      "      shape      m  threads   default us     tuned us  speed-up   roof  winner\n";
  for (const TunedChoice& c : result.choices) {
    const double tuned = c.promoted ? c.winner_ns : c.incumbent_ns;
    const double gain = c.promoted && c.verdict.ratio.centre > 0 ? 1 / c.verdict.ratio.centre : 1;
    out += Join(Column(Join(c.shape.n, "x", c.shape.k), 11), Column(std::to_string(c.m), 7),
                Column(std::to_string(c.threads), 9), Column(Fixed(c.incumbent_ns / 1e3, 1), 13),
                Column(Fixed(tuned / 1e3, 1), 13), Column(Fixed(gain, 3), 10),
                Column(Join(Fixed(100 * c.fraction_of_roof, 0), " %"), 7), "  ",
                c.promoted ? c.winner : Join("(default) ", c.incumbent), "\n");
  }
  return out;
}

std::string TotalsText(const TuneResult& result) {
  struct Total {
    double before = 0, after = 0;
  };
  std::map<std::pair<int, int32_t>, Total> totals;
  for (const TunedChoice& c : result.choices) {
    Total& total = totals[{c.threads, c.m}];
    total.before += c.shape.count * c.incumbent_ns;
    total.after += c.shape.count * c.incumbent_ns *
                   (c.promoted && c.winner_ns > 0 ? c.verdict.ratio.centre : 1);
  }
  std::string out;
  for (const auto& [key, total] : totals) {
    if (total.after <= 0) continue;
    out +=
        Join("all ternary products, m=", key.second, ", ", key.first,
             key.first == 1 ? " thread: " : " threads: ", Fixed(total.before / 1e6, 2), " ms -> ",
             Fixed(total.after / 1e6, 2), " ms (", Fixed(total.before / total.after, 3), "x)\n");
  }
  return out;
}

}  // namespace trit
