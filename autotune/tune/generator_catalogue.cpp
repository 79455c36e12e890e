#include <set>
#include <utility>
#include <vector>

#include "autotune/search/cost_model.h"
#include "autotune/stats/random.h"
#include "autotune/tune/catalogue.h"
#include "autotune/tune/session.h"
#include "generator/family.h"
#include "generator/library/plan.h"
#include "targets/base/error.h"
#include "targets/features.h"
#include "targets/target.h"

namespace trit {
namespace {

constexpr double kTypicalBytesPerS = 30e9;  // only ratios between candidates matter

const Target& ChooseTarget(const std::string& key) {
  if (!key.empty()) {
    const Target& target = FindTarget(key);
    if (!HostFeatures().CanRun(target)) {
      throw Error(Join("This CPU cannot run the target ", key, ": it lacks ",
                       HostFeatures().Missing(target.features).front(), "."));
    }
    return target;
  }
  for (const Target& target : AllTargets()) {
    if (HostFeatures().CanRun(target) && HasDefaultRows(target)) return target;
  }
  throw Error("No target that this CPU can run has shipped kernels; there is nothing to tune.");
}

CatalogueEntry Describe(const Family& family, const Candidate& candidate, const Target& target) {
  const KernelParts parts = family.build(candidate, target);
  CatalogueEntry entry;
  entry.text = candidate.Text();
  entry.family = candidate.family;
  entry.layout = parts.layout.id;
  entry.m_min = parts.m_min;
  entry.m_max = parts.m_max;
  entry.m_granule = parts.m_granule;
  entry.n_granule = parts.layout.granule;
  for (const Setting& s : candidate.settings) entry.settings[s.name] = s.value;
  // Decode reads its weights once: bytes are what can be known before compiling.
  const KernelCost cost{.stream_bytes = 1e6 * parts.layout.BlockBytes() /
                                        (double(parts.layout.granule) * parts.layout.k_step)};
  entry.prior_ns = PriorNs(cost, {.bytes_per_s = kTypicalBytesPerS});
  return entry;
}

}  // namespace

std::string TuningTarget(const std::string& target) {
  return ChooseTarget(target).key;
}

Catalogue GeneratorCatalogue(const std::string& key, double seconds, uint64_t seed) {
  const double deadline = SessionClock() + seconds;
  const Target& target = FindTarget(key);
  Catalogue catalogue;
  catalogue.target = target.key;
  for (const TunedRow& row : DefaultRows(target)) {
    const Candidate canonical = Canonical(row.candidate);
    const std::string text = canonical.Text();
    catalogue.defaults.push_back(
        {row.n, row.k, row.m_min, row.m_max, row.threads, row.n_per_task, row.m_per_task, text});
    if (!catalogue.Find(text)) {
      catalogue.entries.push_back(Describe(FindFamily(canonical.family), canonical, target));
    }
  }
  constexpr size_t kMostPerFamily = 4000;
  Random random(seed);
  std::set<std::string> known;
  for (const CatalogueEntry& entry : catalogue.entries) known.insert(entry.text);
  std::vector<std::pair<const Family*, std::vector<Candidate>>> waiting;
  for (const Family* family : AllFamilies()) {
    if (!family->supports(target)) continue;
    waiting.emplace_back(family, family->space(target).Enumerate(kMostPerFamily));
    random.Shuffle(&waiting.back().second);
  }
  bool some_left = true;
  while (some_left && SessionClock() < deadline) {
    some_left = false;
    for (auto& [family, candidates] : waiting) {
      if (candidates.empty()) continue;
      some_left = true;
      const Candidate candidate = candidates.back();
      candidates.pop_back();
      if (known.insert(candidate.Text()).second) {
        catalogue.entries.push_back(Describe(*family, candidate, target));
      }
    }
  }
  return catalogue;
}

}  // namespace trit
