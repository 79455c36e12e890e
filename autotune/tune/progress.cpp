#include "autotune/tune/progress.h"

#include <sys/ioctl.h>

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
  constexpr int kBar = 12;
  const int full = std::clamp(static_cast<int>(std::lround(kBar * p.share_done)), 0, kBar);
  std::string text =
      Join("[", std::string(static_cast<size_t>(full), '#'),
           std::string(static_cast<size_t>(kBar - full), '.'), "] ", Fixed(p.seconds_left, 0),
           " s left, ", p.measured, " measured, ", p.stage);
  if (p.best_ns > 0) text.append(Join(": best ", Fixed(p.best_ns / 1e3, 1), " us"));
  if (p.fraction_of_roof > 0) {
    text.append(Join(", ", Fixed(100 * p.fraction_of_roof, 0), " % of the roof"));
  }
  return text;
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
  // A line that wraps cannot be drawn over.
  winsize window = {};
  const bool known = ioctl(fileno(out_), TIOCGWINSZ, &window) == 0 && window.ws_col > 20;
  std::string text = ProgressText(progress).substr(0, known ? window.ws_col - 1u : 79u);
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

namespace {

struct Times {
  double shipped_ns, tuned_ns;
  Interval ratio;  // tuned / shipped
};

Times TimesOf(const TunedChoice& c) {
  if (!c.promoted) return {c.incumbent_ns, c.incumbent_ns, {}};
  if (c.check.blocks > 0) return {c.check.shipped_ns, c.check.tuned_ns, c.check.ratio};
  return {c.incumbent_ns, c.winner_ns, c.verdict.ratio};
}

}  // namespace

std::string ChoiceTable(const std::vector<TunedChoice>& choices) {
  std::string out =
      "      shape      m  threads   default us     tuned us  speed-up   roof  winner\n";
  for (const TunedChoice& c : choices) {
    const Times t = TimesOf(c);
    out += Join(Column(Join(c.shape.n, "x", c.shape.k), 11), Column(std::to_string(c.m), 7),
                Column(std::to_string(c.threads), 9), Column(Fixed(t.shipped_ns / 1e3, 1), 13),
                Column(Fixed(t.tuned_ns / 1e3, 1), 13), Column(Fixed(1 / t.ratio.centre, 3), 10),
                Column(Join(Fixed(100 * c.fraction_of_roof, 0), " %"), 7), "  ",
                c.promoted ? Contender{c.winner, c.n_per_task, c.m_per_task}.Text()
                           : Join("(default) ", c.incumbent),
                "\n");
  }
  return out;
}

std::string TotalsText(const std::vector<TunedChoice>& choices) {
  struct Total {
    double shipped = 0, tuned = 0, low = 0, high = 0;
  };
  std::map<std::pair<int, int32_t>, Total> totals;
  for (const TunedChoice& c : choices) {
    const Times t = TimesOf(c);
    Total& total = totals[{c.threads, c.m}];
    total.shipped += c.shape.count * t.shipped_ns;
    total.tuned += c.shape.count * t.shipped_ns * t.ratio.centre;
    total.low += c.shape.count * t.shipped_ns * t.ratio.low;
    total.high += c.shape.count * t.shipped_ns * t.ratio.high;
  }
  std::string out;
  for (const auto& [key, total] : totals) {
    if (!(total.low > 0)) continue;
    const std::string what =
        key.second == 1 ? std::string("decode, 1 token") : Join("prefill, ", key.second, " tokens");
    out += Join(what, ", ", key.first, key.first == 1 ? " thread" : " threads",
                ": all ternary products ", Fixed(total.shipped / 1e6, 2), " ms -> ",
                Fixed(total.tuned / 1e6, 2), " ms (", Fixed(total.shipped / total.tuned, 3), "x [",
                Fixed(total.shipped / total.high, 3), ", ", Fixed(total.shipped / total.low, 3),
                "])\n");
  }
  return out;
}

}  // namespace trit
