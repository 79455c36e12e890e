// The progress line of a tuning run: one line that is redrawn on a terminal, a line a stage
// elsewhere.
#pragma once

#include <cstdio>
#include <string>

#include "autotune/tune/tuner.h"

namespace trit {

// "[####........] 31 s left, 57 measured, m=1 n=6912 k=2560, 2 threads: best 132.4 us, 84 % of the
// roof"
std::string ProgressText(const TuneProgress& progress);

class ProgressLine {
 public:
  ProgressLine(std::FILE* out, bool is_terminal) : out_(out), is_terminal_(is_terminal) {}
  ~ProgressLine() { Clear(); }
  void Show(const TuneProgress& progress);
  void Clear();

 private:
  std::FILE* out_;
  bool is_terminal_;
  std::string last_stage_;
  size_t drawn_ = 0;
};

// The final table.
std::string ChoiceTable(const std::vector<TunedChoice>& choices);
// Decode and prefill time of all tensors, shipped against tuned, one line a (m, threads): by the
// check of the library where there is one, else by the finals. The range in brackets adds up the
// ends of the tensors' intervals.
std::string TotalsText(const std::vector<TunedChoice>& choices);

}  // namespace trit
