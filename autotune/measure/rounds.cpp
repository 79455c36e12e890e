#include "autotune/measure/rounds.h"

#include <algorithm>
#include <cmath>

#include "autotune/stats/random.h"
#include "autotune/stats/robust.h"

namespace trit {
namespace {

constexpr size_t kRemembered = 40;
constexpr int kJobsBetweenReferences = 4;
constexpr size_t kSmoothed = 2;

}  // namespace

void ReferenceLevel::Add(double ns) {
  rounds_.push_back(ns);
  if (rounds_.size() > kRemembered) rounds_.pop_front();
}

double ReferenceLevel::Calm() const {
  if (rounds_.empty()) return 0;
  return Quantile(std::vector<double>(rounds_.begin(), rounds_.end()), 0.25);
}

double ReferenceLevel::Noise() const {
  if (rounds_.empty()) return 0;
  return Spread(std::vector<double>(rounds_.begin(), rounds_.end())) / Calm();
}

std::vector<double> RoundsResult::Job::Corrected(double calm) const {
  std::vector<double> out;
  for (size_t i = 0; i < ns.size(); ++i) {
    std::vector<double> around;  // the references of the rounds next to this one
    for (size_t j = i < kSmoothed ? 0 : i - kSmoothed; j < ns.size() && j <= i + kSmoothed; ++j) {
      if (reference[j] > 0) around.push_back(reference[j]);
    }
    out.push_back(calm > 0 && !around.empty() ? ns[i] * calm / Median(around) : ns[i]);
  }
  return out;
}

RoundsResult MeasureRounds(const std::vector<int>& rounds, const Sampler& sampler,
                           ReferenceLevel* level, const RoundsOptions& options) {
  RoundsResult result;
  result.jobs.resize(rounds.size());
  Random random(options.seed);
  int repeats_left = options.max_repeats;
  std::vector<int> waiting;
  for (;;) {
    waiting.clear();
    for (size_t i = 0; i < rounds.size(); ++i) {
      const RoundsResult::Job& job = result.jobs[i];
      if (!job.failed && static_cast<int>(job.ns.size()) < rounds[i]) {
        waiting.push_back(static_cast<int>(i));
      }
    }
    if (waiting.empty()) return result;
    if (options.stop && options.stop()) {
      result.stopped = true;
      return result;
    }
    random.Shuffle(&waiting);
    std::vector<double> references;
    std::vector<std::optional<double>> samples;
    const auto reference = [&] {
      if (const auto ns = sampler(kReferenceJob)) references.push_back(*ns);
    };
    reference();
    for (size_t i = 0; i < waiting.size(); ++i) {
      samples.push_back(sampler(waiting[i]));
      if (!samples.back()) result.jobs[static_cast<size_t>(waiting[i])].failed = true;
      if (i % kJobsBetweenReferences == kJobsBetweenReferences - 1) reference();
    }
    reference();
    const double of_round = references.empty() ? 0 : Median(references);
    const double calm = level->Calm();
    if (of_round > 0) level->Add(of_round);
    const bool disturbed =
        calm > 0 && of_round > 0 && std::fabs(of_round / calm - 1) > options.tolerance;
    if (disturbed && repeats_left > 0) {
      --repeats_left;
      ++result.discarded;
      continue;
    }
    result.kept_disturbed += disturbed;
    for (size_t i = 0; i < waiting.size(); ++i) {
      if (!samples[i]) continue;
      RoundsResult::Job& job = result.jobs[static_cast<size_t>(waiting[i])];
      job.ns.push_back(*samples[i]);
      job.reference.push_back(of_round);
    }
  }
}

}  // namespace trit
