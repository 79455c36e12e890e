// The strategies, all behind Strategy, all deterministic by their seed.
//
//   exhaustive   every point, `rounds` rounds, in shuffled order: the ground truth of small spaces
//   random       the same order, ending with a final among the best: the honest baseline
//   halving      many points with few rounds, the best third again with more, and so on
//   evolution    a population that mutates towards what worked (one axis at a time)
//   model        a Gaussian process over the axes on top of the cost model's guess, refitted after
//                each batch, proposing where it expects the most; ends with a final
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "autotune/search/search.h"

namespace trit {

struct StrategyOptions {
  uint64_t seed = 1;
  int rounds = 3;  // what a point gets before it is compared
  int batch = 8;   // points proposed at once; they are compiled in parallel
};

std::unique_ptr<Strategy> MakeExhaustive(const SearchSpace& space, const StrategyOptions& options);
std::unique_ptr<Strategy> MakeRandom(const SearchSpace& space, const StrategyOptions& options);
std::unique_ptr<Strategy> MakeHalving(const SearchSpace& space, const StrategyOptions& options);
std::unique_ptr<Strategy> MakeEvolution(const SearchSpace& space, const StrategyOptions& options);
std::unique_ptr<Strategy> MakeModel(const SearchSpace& space, const StrategyOptions& options);

// By name; throws Error listing the names. The space must outlive the strategy.
std::unique_ptr<Strategy> MakeStrategy(std::string_view name, const SearchSpace& space,
                                       const StrategyOptions& options);

// The end of every strategy that samples: the best few again until each has had `rounds` more
// rounds than the search gave it. Empty when that is done.
std::vector<Proposal> FinalRounds(const History& history, int finalists, int rounds);

}  // namespace trit
