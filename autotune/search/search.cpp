#include "autotune/search/search.h"

#include <algorithm>
#include <cmath>

#include "autotune/stats/robust.h"

namespace trit {

namespace {
constexpr double kCredibleRoof = 1.05;
}  // namespace

double EstimateNs(std::span<const double> samples) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  return Median(std::span<const double>(sorted).first((sorted.size() + 1) / 2));
}

void History::Add(const Outcome& outcome) {
  Entry& entry = entries_[static_cast<size_t>(outcome.point)];
  if (!entry.Tried() && (outcome.failed || !outcome.ns.empty())) tried_.push_back(outcome.point);
  entry.failed |= outcome.failed;
  entry.ns.insert(entry.ns.end(), outcome.ns.begin(), outcome.ns.end());
  entry.fraction_of_roof = std::max(entry.fraction_of_roof, outcome.fraction_of_roof);
  rounds_ += std::max<int>(1, static_cast<int>(outcome.ns.size()));
  entry.estimate = entry.failed || entry.ns.empty() ? std::numeric_limits<double>::infinity()
                                                    : EstimateNs(entry.ns);
}

int History::Best() const {
  int best = -1;
  for (int point : tried_) {
    if (!std::isfinite((*this)[point].estimate)) continue;
    if (best < 0 || (*this)[point].estimate < (*this)[best].estimate) best = point;
  }
  return best;
}

std::vector<int> History::Ranking() const {
  std::vector<int> ranking;
  for (int point : tried_) {
    if (std::isfinite((*this)[point].estimate)) ranking.push_back(point);
  }
  std::stable_sort(ranking.begin(), ranking.end(),
                   [&](int a, int b) { return (*this)[a].estimate < (*this)[b].estimate; });
  return ranking;
}

SearchResult RunSearch(const SearchSpace& space, Strategy* strategy, Evaluator* evaluator,
                       const SearchLimits& limits, History* history,
                       const std::function<void(const SearchStep&)>& progress) {
  SearchResult result;
  const int points_before = static_cast<int>(history->tried().size());
  const int rounds_before = history->rounds();
  const auto at_roof = [&] {
    const int best = history->Best();
    // One lucky round is no roof, and what is faster than the roof says that the roof is wrong.
    return best >= 0 && (*history)[best].fraction_of_roof >= limits.roof_stop &&
           (*history)[best].fraction_of_roof <= kCredibleRoof && (*history)[best].Rounds() >= 2;
  };
  while (result.stopped.empty()) {
    int points_left =
        limits.max_points - (static_cast<int>(history->tried().size()) - points_before);
    int rounds_left = limits.max_rounds - (history->rounds() - rounds_before);
    if (at_roof()) {
      result.stopped = "roof";
    } else if (rounds_left <= 0) {
      result.stopped = "limit";
    } else {
      std::vector<Proposal> batch;
      bool dropped = false;
      for (Proposal p : strategy->Next(*history, points_left, rounds_left)) {
        if (p.point < 0 || p.point >= space.size() || (*history)[p.point].failed) continue;
        const bool is_new = !(*history)[p.point].Tried();
        p.rounds = std::min(p.rounds, rounds_left);
        if (p.rounds <= 0 || (is_new && points_left <= 0)) {
          dropped = true;
          continue;
        }
        points_left -= is_new;
        rounds_left -= p.rounds;
        batch.push_back(p);
      }
      if (batch.empty()) {
        result.stopped = dropped ? "limit" : "strategy";
        break;
      }
      const std::vector<Outcome> outcomes = evaluator->Measure(batch);
      for (const Outcome& outcome : outcomes) history->Add(outcome);
      if (outcomes.size() < batch.size()) result.stopped = "time";
      SearchStep step;
      step.points = static_cast<int>(history->tried().size()) - points_before;
      step.rounds = history->rounds() - rounds_before;
      step.best = history->Best();
      if (step.best >= 0) {
        step.best_ns = (*history)[step.best].estimate;
        step.fraction_of_roof = (*history)[step.best].fraction_of_roof;
      }
      result.steps.push_back(step);
      if (progress) progress(step);
    }
  }
  result.best = history->Best();
  if (result.best >= 0) result.best_ns = (*history)[result.best].estimate;
  return result;
}

}  // namespace trit
