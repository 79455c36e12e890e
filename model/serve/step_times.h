// How long a forward pass takes as a function of its rows, learnt from the passes themselves, and
// how many prompt tokens may therefore ride along with a decode step.
//
// A pass over M rows streams all weights once, so its time is flat while memory-bound and grows
// with M after that, in steps where kernels take rows in fours or have another form: not always
// upwards (2B4T on two Zen 4 cores: 28, 42, 33, 48 ms for M = 2 to 5). Time depends on M alone as
// far as this table goes (attention's share grows with the context; the running averages follow
// it). Classes are M = 1..8, then four to an octave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace trit::serve {

class StepTimes {
 public:
  explicit StepTimes(int max_rows);

  void Record(int rows, int64_t ns);

  // Estimated time of a pass over `rows` (>= 1) rows, in ns: measured, interpolated between
  // measured neighbours, or, past the largest measured class, grown in proportion to the rows
  // (an upper bound: a pass has a fixed part). 0 when nothing has been measured.
  int64_t Estimate(int rows) const;

  // The same with room for steps that take longer than their class's average: twice the average
  // deviation seen, at most 15 % (a busy machine must not stop prompts altogether).
  int64_t EstimateHigh(int rows) const;

  // The most prompt tokens that may join `decode_rows` decode rows so that the pass takes at most
  // `limit_ns` even when it is one of the slower ones, at least 1 and at most max_rows -
  // decode_rows. Never more than twice the largest class measured so far, so that a first guess
  // costs little.
  int PromptBudget(int decode_rows, int64_t limit_ns) const;

  int max_rows() const { return max_rows_; }

 private:
  struct Class {
    double ns = 0;         // running average; 0: no sample yet
    double mean_rows = 0;  // of the samples
    double spread = 0;     // running average of |sample - ns|
  };
  int64_t Interpolate(int rows, double (*value)(const Class&)) const;
  static size_t ClassOf(int rows);

  int max_rows_;
  std::vector<Class> classes_;
};

}  // namespace trit::serve
