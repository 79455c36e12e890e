// A search: a strategy proposes points, an evaluator measures them, a history remembers.
//
// A round is one timed block of one candidate (some milliseconds), taken interleaved with the other
// candidates of its batch and with the reference kernel. Rounds are the currency: an exhaustive
// search spends `rounds` times the size of the space.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "autotune/search/space.h"

namespace trit {

struct Proposal {
  int point;
  int rounds;
};

struct Outcome {
  int point;
  std::vector<double> ns;       // a sample a round, corrected for drift by the reference kernel
  bool failed = false;          // crash, hang, wrong sum, compile error: never proposed again
  double fraction_of_roof = 0;  // of the nearer measured roof; 0 = not known
};

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // An outcome a proposal, any order. Fewer when the time is over: the search then ends.
  virtual std::vector<Outcome> Measure(std::span<const Proposal> batch) = 0;
};

// What is known of a point. Noise only ever adds time, so few samples are summarised by the median
// of their faster half, not by the median: with one outlier in ten rounds, two rounds then mislead
// once in a hundred times instead of once in five.
double EstimateNs(std::span<const double> samples);

class History {
 public:
  explicit History(int points) : entries_(static_cast<size_t>(points)) {}
  struct Entry {
    std::vector<double> ns;
    bool failed = false;
    double fraction_of_roof = 0;
    double estimate = std::numeric_limits<double>::infinity();
    bool Tried() const { return failed || !ns.empty(); }
    int Rounds() const { return static_cast<int>(ns.size()); }
  };
  void Add(const Outcome& outcome);
  const Entry& operator[](int point) const { return entries_[static_cast<size_t>(point)]; }
  int size() const { return static_cast<int>(entries_.size()); }
  const std::vector<int>& tried() const { return tried_; }  // in the order of their first round
  int rounds() const { return rounds_; }
  int Best() const;                  // -1 = nothing worked yet
  std::vector<int> Ranking() const;  // points that worked, fastest first

 private:
  std::vector<Entry> entries_;
  std::vector<int> tried_;
  int rounds_ = 0;
};

struct SearchLimits {
  int max_points = std::numeric_limits<int>::max();  // different points measured
  int max_rounds = std::numeric_limits<int>::max();
  double roof_stop = 0.97;  // nothing is left to win beyond this fraction of the roof
};

class Strategy {
 public:
  virtual ~Strategy() = default;
  // What to measure next; empty = finished. `points_left` and `rounds_left` are what the limits
  // still allow; proposals beyond them are dropped.
  virtual std::vector<Proposal> Next(const History& history, int points_left, int rounds_left) = 0;
};

struct SearchStep {  // for progress lines and convergence curves
  int points = 0;
  int rounds = 0;
  int best = -1;
  double best_ns = 0;
  double fraction_of_roof = 0;
};

struct SearchResult {
  int best = -1;
  double best_ns = 0;
  std::string stopped;  // "roof", "strategy", "limit", "time"
  std::vector<SearchStep> steps;
};

// `known` is what earlier runs measured; it costs nothing here.
SearchResult RunSearch(const SearchSpace& space, Strategy* strategy, Evaluator* evaluator,
                       const SearchLimits& limits, History* history,
                       const std::function<void(const SearchStep&)>& progress = {});

}  // namespace trit
