// What can be tuned: every candidate with what the tuner must know of it before compiling it, and
// the shipped decisions it has to beat. The generator fills one (GeneratorCatalogue); tests plant
// their own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "autotune/search/space.h"

namespace trit {

struct CatalogueEntry {
  std::string text;  // canonical candidate text
  std::string family;
  std::string layout;  // layout id
  int32_t m_min = 1;   // token counts it is made for
  int32_t m_max = INT32_MAX;
  int32_t m_granule = 1;
  int32_t n_granule = 1;
  std::map<std::string, std::string> settings;
  double prior_ns = 0;  // cost model's guess for one token of 1 M streamed weights; 0 = none
};

// A shipped choice row, in order; 0 = any.
struct DefaultRow {
  int32_t n = 0, k = 0;
  int32_t m_min = 1, m_max = INT32_MAX;
  int32_t threads = 0;
  int32_t n_per_task = 0, m_per_task = 0;
  std::string candidate;
};

struct Catalogue {
  std::string target;
  std::vector<CatalogueEntry> entries;
  std::vector<DefaultRow> defaults;

  const CatalogueEntry* Find(const std::string& text) const;
  bool IsShipped(const std::string& text) const;  // does a default row name it?
  // The shipped row that answers; throws Error when there is none.
  const DefaultRow& Default(int32_t n, int32_t k, int32_t m, int32_t threads) const;
  // Token counts around m for which that same row answers.
  std::pair<int32_t, int32_t> DefaultSpan(int32_t n, int32_t k, int32_t m, int32_t threads) const;
  // The default of a layout for m tokens: the first row whose kernel reads it; null if none.
  const DefaultRow* DefaultOfLayout(const std::string& layout, int32_t m, int32_t threads) const;
};

// The entries with these indices as a search space: one axis a parameter name, families as one
// more. Priors are about one token; a search for many goes without them.
SearchSpace MakeSearchSpace(const Catalogue& catalogue, const std::vector<int>& entries,
                            bool with_priors = true);

// The target to tune: the given one, checked, or for "" the best one this CPU can run that has
// shipped rows.
std::string TuningTarget(const std::string& target);

// Families on one target of TuningTarget. Describing a candidate takes about a millisecond, so of
// large spaces as much is taken as fits `seconds`: all families in turn, in an order shuffled by
// `seed`; the shipped candidates always.
Catalogue GeneratorCatalogue(const std::string& target, double seconds, uint64_t seed = 1);

}  // namespace trit
