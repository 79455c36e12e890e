// A landscape: every point of a search space with recorded timings, so that strategies can be
// replayed on real kernels without a machine to measure on.
//
// A file is JSON, a point a line:
//   {"tritforge_landscape":1,"about":{...},"axes":[{"name":..,"ordered":..,"values":[..]},..],
//    "points":[
//   [[coordinates],[ns, ns, ...]],        [] instead of timings: the candidate failed
//    ...]}
// Timings are of one call, one a round; every round went through all points in an order of its own,
// and is corrected for drift as a whole by a reference kernel timed in between. `about` says what
// was measured where.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "autotune/search/search.h"
#include "autotune/stats/random.h"

namespace trit {

struct RecordedLandscape {
  std::map<std::string, std::string> about;
  struct Axis {
    std::string name;
    bool ordered = false;
    std::vector<std::string> values;
  };
  std::vector<Axis> axes;
  struct Point {
    std::vector<int> at;  // kAbsent where the point has no such parameter
    std::vector<double> ns;
  };
  std::vector<Point> points;

  SearchSpace Space() const;
  size_t Rounds() const;  // the fewest of any point that worked
};

// Throws Error naming the file and what is wrong with it.
RecordedLandscape ReadLandscape(const std::string& path);
std::string LandscapeText(const RecordedLandscape& landscape);

// Half of a point's rounds say how fast it is, the other half are what a replayed search gets to
// see, so that a search is not judged by the noise that misled it.
double TrueNs(const RecordedLandscape& landscape, int point);  // infinity for one that failed

class ReplayEvaluator : public Evaluator {
 public:
  ReplayEvaluator(const RecordedLandscape& landscape, uint64_t seed);
  // A point's recorded rounds in an order of the seed's; more than there are begin again.
  std::vector<Outcome> Measure(std::span<const Proposal> batch) override;
  int rounds() const { return rounds_; }

 private:
  std::vector<std::vector<double>> seen_;  // shuffled, by point
  std::vector<size_t> next_;
  int rounds_ = 0;
};

struct ReplayResult {
  double quality = 0;  // speed of what was chosen as a share of the best there is
  int points = 0;
  int rounds = 0;
};

// One search with at most `share` of the points and of the rounds of an exhaustive one.
ReplayResult Replay(const RecordedLandscape& landscape, const std::string& strategy, double share,
                    uint64_t seed, int rounds = 3);

}  // namespace trit
