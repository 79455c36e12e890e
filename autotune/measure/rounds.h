// Interleaved rounds: every job once a round, in an order that changes, between samples of the
// reference kernel. Run order alone moved results by up to 60 % on a noisy host, so no two numbers
// that will be compared are taken one after the other in blocks.
//
// A round whose reference is off its calm level by more than `tolerance` was disturbed: it is
// discarded and repeated, as long as repeats are left. After that rounds are kept whatever the
// reference says (the correction by the reference still holds), and `kept_disturbed` tells.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

namespace trit {

inline constexpr int kReferenceJob = -1;
// Takes one sample of a job, in ns; nothing when it failed (it is not asked again).
using Sampler = std::function<std::optional<double>(int job)>;

// The calm level of a reference: the lower quartile of its latest rounds. It follows a machine that
// changes its clock for good, within as many rounds.
class ReferenceLevel {
 public:
  void Add(double ns);
  double Calm() const;  // 0 = not known yet
  // Spread of the latest rounds relative to the calm level: how noisy this machine is.
  double Noise() const;

 private:
  std::deque<double> rounds_;
};

struct RoundsOptions {
  double tolerance = 0.08;
  int max_repeats = 4;
  uint64_t seed = 1;
  std::function<bool()> stop;  // asked before each round
};

struct RoundsResult {
  struct Job {
    std::vector<double> ns;         // one a kept round
    std::vector<double> reference;  // the reference in the same rounds
    bool failed = false;
    // ns as if the reference had been calm: what a search compares. By the median reference of
    // neighbouring rounds: a reference that was hit itself would make its round look fast.
    std::vector<double> Corrected(double calm) const;
  };
  std::vector<Job> jobs;
  int discarded = 0;
  int kept_disturbed = 0;
  bool stopped = false;
};

// `rounds[i]` = rounds that job i shall get.
RoundsResult MeasureRounds(const std::vector<int>& rounds, const Sampler& sampler,
                           ReferenceLevel* level, const RoundsOptions& options);

}  // namespace trit
