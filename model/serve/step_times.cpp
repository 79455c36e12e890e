#include "model/serve/step_times.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace trit::serve {
namespace {

// One sample moves the average by a quarter: a change of load is followed within ten steps, and
// a single preempted step (commonly 2..10x) is cut to 3x before it counts.
constexpr double kWeight = 0.25;
constexpr double kOutlier = 3.0;
constexpr double kMostSpread = 0.15;

}  // namespace

StepTimes::StepTimes(int max_rows) : max_rows_(std::max(max_rows, 2)) {
  classes_.resize(ClassOf(max_rows_) + 1);
}

size_t StepTimes::ClassOf(int rows) {
  if (rows <= 8) return static_cast<size_t>(rows - 1);
  const int octave = std::bit_width(static_cast<unsigned>(rows)) - 1;  // >= 3
  const int quarter = (rows >> (octave - 2)) & 3;
  return 8 + static_cast<size_t>(octave - 3) * 4 + static_cast<size_t>(quarter);
}

void StepTimes::Record(int rows, int64_t ns) {
  if (rows < 1 || ns <= 0) return;
  rows = std::min(rows, max_rows_);
  Class& entry = classes_[ClassOf(rows)];
  const auto sample = static_cast<double>(ns);
  if (entry.ns == 0) {
    entry.ns = sample;
    entry.mean_rows = rows;
    return;
  }
  const double seen = std::min(sample, kOutlier * entry.ns);
  entry.spread += kWeight * (std::fabs(seen - entry.ns) - entry.spread);
  entry.ns += kWeight * (seen - entry.ns);
  entry.mean_rows += kWeight * (rows - entry.mean_rows);
}

int64_t StepTimes::Estimate(int rows) const {
  return Interpolate(rows, [](const Class& c) { return c.ns; });
}

int64_t StepTimes::EstimateHigh(int rows) const {
  return Interpolate(
      rows, [](const Class& c) { return c.ns + std::min(2 * c.spread, kMostSpread * c.ns); });
}

int64_t StepTimes::Interpolate(int rows, double (*value)(const Class&)) const {
  const Class* below = nullptr;
  const Class* above = nullptr;
  for (const Class& entry : classes_) {
    if (entry.ns == 0) continue;
    if (entry.mean_rows > rows) {
      above = &entry;
      break;
    }
    below = &entry;
  }
  if (!below && !above) return 0;
  double ns;
  if (!below) {
    ns = value(*above);  // fewer rows take no longer
  } else if (!above) {
    ns = value(*below) * rows / below->mean_rows;
  } else {
    const double share = (rows - below->mean_rows) / (above->mean_rows - below->mean_rows);
    ns = value(*below) + share * (value(*above) - value(*below));
  }
  return static_cast<int64_t>(ns);
}

int StepTimes::PromptBudget(int decode_rows, int64_t limit_ns) const {
  double largest_known = 4;
  for (const Class& entry : classes_) {
    if (entry.ns > 0) largest_known = std::max(largest_known, entry.mean_rows);
  }
  const int top =
      std::min(max_rows_, std::max(2 * static_cast<int>(largest_known + 0.5), decode_rows + 1));
  // From the top: four rows may be faster than three (a kernel takes them in fours), so the times
  // are not searched by halves.
  const int least = decode_rows + 1;  // always allowed: a prompt must move
  int rows = std::max(least, top);
  while (rows > least && EstimateHigh(rows) > limit_ns) --rows;
  return std::max(1, rows - decode_rows);
}

}  // namespace trit::serve
