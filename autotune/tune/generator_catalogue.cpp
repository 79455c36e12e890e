#include <map>

#include "autotune/tune/catalogue.h"
#include "generator/family.h"
#include "generator/library/plan.h"
#include "targets/base/error.h"
#include "targets/features.h"
#include "targets/target.h"

namespace trit {
namespace {

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
  for (const Setting& s : candidate.settings) entry.settings[s.name] = s.value;
  return entry;
}

}  // namespace

Catalogue GeneratorCatalogue(const std::string& key) {
  const Target& target = ChooseTarget(key);
  Catalogue catalogue;
  catalogue.target = target.key;
  constexpr size_t kMostPerFamily = 4000;
  for (const Family* family : AllFamilies()) {
    if (!family->supports(target)) continue;
    for (const Candidate& candidate : family->space(target).Enumerate(kMostPerFamily)) {
      catalogue.entries.push_back(Describe(*family, candidate, target));
    }
  }
  for (const TunedRow& row : DefaultRows(target)) {
    const std::string text = row.candidate.Text();
    catalogue.defaults.push_back(
        {row.n, row.k, row.m_min, row.m_max, row.threads, row.n_per_task, row.m_per_task, text});
    if (!catalogue.Find(text)) {
      const Candidate canonical = Canonical(row.candidate);
      catalogue.defaults.back().candidate = canonical.Text();
      if (!catalogue.Find(canonical.Text())) {
        catalogue.entries.push_back(Describe(FindFamily(canonical.family), canonical, target));
      }
    }
  }
  return catalogue;
}

}  // namespace trit
