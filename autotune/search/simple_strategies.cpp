#include <algorithm>
#include <numeric>

#include "autotune/search/strategies.h"
#include "autotune/stats/random.h"
#include "targets/base/error.h"

namespace trit {
namespace {

std::vector<int> Shuffled(int size, uint64_t seed) {
  std::vector<int> order(static_cast<size_t>(size));
  std::iota(order.begin(), order.end(), 0);
  Random random(seed);
  random.Shuffle(&order);
  return order;
}

class InOrder : public Strategy {
 public:
  InOrder(const SearchSpace& space, const StrategyOptions& options, int finalists)
      : options_(options), finalists_(finalists), order_(Shuffled(space.size(), options.seed)) {}

  std::vector<Proposal> Next(const History& history, int points_left, int rounds_left) override {
    const int reserve = finalists_ * options_.rounds;
    std::vector<Proposal> batch;
    while (next_ < order_.size() && static_cast<int>(batch.size()) < options_.batch &&
           static_cast<int>(batch.size()) < points_left &&
           rounds_left - static_cast<int>(batch.size() + 1) * options_.rounds >= reserve) {
      const int point = order_[next_++];
      const int missing = options_.rounds - history[point].Rounds();
      if (missing > 0 && !history[point].failed) batch.push_back({point, missing});
    }
    if (!batch.empty() || finalists_ == 0) return batch;
    return FinalRounds(history, finalists_, options_.rounds * 2);
  }

 private:
  StrategyOptions options_;
  int finalists_;
  std::vector<int> order_;
  size_t next_ = 0;
};

// Rungs: n points with one round each, then the best third with twice as many rounds, until three
// are left. n is the largest that the rounds pay for: a rung costs 2/3 of the one before it, so all
// of them cost less than 3 n.
class Halving : public Strategy {
 public:
  Halving(const SearchSpace& space, const StrategyOptions& options)
      : order_(Shuffled(space.size(), options.seed)) {}

  std::vector<Proposal> Next(const History& history, int points_left, int rounds_left) override {
    if (alive_.empty() && rounds_ == 0) {
      const size_t first = std::min({order_.size(), static_cast<size_t>(std::max(0, points_left)),
                                     static_cast<size_t>(std::max(1, rounds_left / 3))});
      alive_.assign(order_.begin(), order_.begin() + static_cast<ptrdiff_t>(first));
      rounds_ = 1;
    } else {
      std::erase_if(alive_, [&](int p) { return history[p].failed; });
      if (alive_.size() <= 3) return {};
      std::sort(alive_.begin(), alive_.end(),
                [&](int a, int b) { return history[a].estimate < history[b].estimate; });
      alive_.resize(std::max<size_t>(3, alive_.size() / 3));
      rounds_ *= 2;
    }
    std::vector<Proposal> batch;
    for (int point : alive_) batch.push_back({point, rounds_});
    return batch;
  }

 private:
  std::vector<int> order_, alive_;
  int rounds_ = 0;
};

class Evolution : public Strategy {
 public:
  Evolution(const SearchSpace& space, const StrategyOptions& options)
      : space_(space), options_(options), random_(options.seed) {}

  std::vector<Proposal> Next(const History& history, int points_left, int rounds_left) override {
    constexpr int kFinalists = 5;
    const int reserve = kFinalists * options_.rounds * 2;
    const int rounds = std::max(1, options_.rounds - 1);
    const std::vector<int> ranking = history.Ranking();
    std::vector<Proposal> batch;
    std::vector<bool> chosen(static_cast<size_t>(space_.size()), false);
    const int limit = std::min({options_.batch, points_left, (rounds_left - reserve) / rounds});
    for (int attempts = 0; attempts < 50 * options_.batch; ++attempts) {
      if (static_cast<int>(batch.size()) >= limit) break;
      const int point = Child(ranking);
      if (point < 0 || history[point].Tried() || chosen[static_cast<size_t>(point)]) continue;
      chosen[static_cast<size_t>(point)] = true;
      batch.push_back({point, rounds});
    }
    if (!batch.empty()) return batch;
    return FinalRounds(history, kFinalists, options_.rounds * 2);
  }

 private:
  // A parent by tournament among the best half, then one or two steps along an axis, or, once in
  // five times and at the start, a point at random.
  int Child(const std::vector<int>& ranking) {
    if (ranking.size() < 8 || random_.Uniform() < 0.2) {
      return static_cast<int>(random_.Below(static_cast<size_t>(space_.size())));
    }
    const size_t pool = std::max<size_t>(4, ranking.size() / 2);
    int point = ranking[std::min(random_.Below(pool), random_.Below(pool))];
    for (size_t steps = 1 + random_.Below(2); steps > 0; --steps) {
      const std::vector<int> neighbours = space_.Neighbours(point);
      if (neighbours.empty()) return -1;
      point = neighbours[random_.Below(neighbours.size())];
    }
    return point;
  }

  const SearchSpace& space_;
  StrategyOptions options_;
  Random random_;
};

struct StrategyName {
  const char* name;
  std::unique_ptr<Strategy> (*make)(const SearchSpace&, const StrategyOptions&);
};
constexpr StrategyName kStrategies[] = {
    {"exhaustive", MakeExhaustive}, {"random", MakeRandom}, {"halving", MakeHalving},
    {"evolution", MakeEvolution},   {"model", MakeModel},
};

}  // namespace

std::vector<Proposal> FinalRounds(const History& history, int finalists, int rounds) {
  std::vector<int> ranking = history.Ranking();
  if (static_cast<int>(ranking.size()) > finalists) ranking.resize(static_cast<size_t>(finalists));
  std::vector<Proposal> out;
  for (int point : ranking) {
    const int missing = rounds - history[point].Rounds();
    if (missing > 0) out.push_back({point, std::min(missing, 4)});
  }
  return out;
}

std::unique_ptr<Strategy> MakeExhaustive(const SearchSpace& space, const StrategyOptions& options) {
  return std::make_unique<InOrder>(space, options, 0);
}
std::unique_ptr<Strategy> MakeRandom(const SearchSpace& space, const StrategyOptions& options) {
  return std::make_unique<InOrder>(space, options, 5);
}
std::unique_ptr<Strategy> MakeHalving(const SearchSpace& space, const StrategyOptions& options) {
  return std::make_unique<Halving>(space, options);
}
std::unique_ptr<Strategy> MakeEvolution(const SearchSpace& space, const StrategyOptions& options) {
  return std::make_unique<Evolution>(space, options);
}

std::unique_ptr<Strategy> MakeStrategy(std::string_view name, const SearchSpace& space,
                                       const StrategyOptions& options) {
  std::string known;
  for (const StrategyName& s : kStrategies) {
    if (name == s.name) return s.make(space, options);
    known += Join(known.empty() ? "" : ", ", s.name);
  }
  throw Error(Join("There is no search strategy \"", name, "\"; there are ", known, "."));
}

}  // namespace trit
