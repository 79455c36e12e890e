#include "autotune/records/lookup.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "autotune/stats/robust.h"

namespace trit {
namespace {

bool OnRung(const Record& r, const LookupQuery& query, Rung rung) {
  if (r.host.arch != query.host.arch) return false;
  const auto runnable = std::find(query.targets.begin(), query.targets.end(), r.target);
  if (runnable == query.targets.end()) return false;
  switch (rung) {
    case Rung::kHost:
      return r.host_key == query.host.Key();
    case Rung::kMicroarchitecture:
      return r.host.Microarchitecture() == query.host.Microarchitecture();
    case Rung::kIsa:
      return runnable == query.targets.begin();
    case Rung::kGeneric:
      return true;
    case Rung::kDefault:
      break;
  }
  return false;
}

bool SameQuestion(const Record& r, const LookupQuery& query) {
  return r.workload == query.workload && r.threads == query.threads && r.mode == query.mode &&
         (query.toolchain.empty() || r.build.Toolchain() == query.toolchain);
}

struct Pool {
  std::vector<double> samples;
  int records = 0;
  const Record* newest = nullptr;
};

}  // namespace

const char* RungName(Rung rung) {
  switch (rung) {
    case Rung::kHost:
      return "host";
    case Rung::kMicroarchitecture:
      return "microarchitecture";
    case Rung::kIsa:
      return "isa";
    case Rung::kGeneric:
      return "generic";
    case Rung::kDefault:
      return "default";
  }
  return "?";
}

LookupAnswer Lookup(std::span<const Record> records, const LookupQuery& query) {
  for (const Rung rung : {Rung::kHost, Rung::kMicroarchitecture, Rung::kIsa, Rung::kGeneric}) {
    // A wrong sum bans a candidate for every workload, not only for the one that showed it.
    std::set<std::string> banned;
    std::map<std::tuple<std::string, std::string, int64_t, int64_t>, Pool> pools;
    for (const Record& r : records) {
      if (!OnRung(r, query, rung)) continue;
      if (r.status == CheckStatus::kWrong) banned.insert(r.candidate);
      if (r.status != CheckStatus::kOk || !SameQuestion(r, query)) continue;
      Pool& pool = pools[{r.candidate, r.target, r.n_per_task, r.m_per_task}];
      pool.samples.insert(pool.samples.end(), r.samples_ns.begin(), r.samples_ns.end());
      ++pool.records;
      if (!pool.newest || r.time_s >= pool.newest->time_s) pool.newest = &r;
    }
    LookupAnswer best;
    for (const auto& [key, pool] : pools) {
      const auto& [candidate, target, n_per_task, m_per_task] = key;
      if (banned.contains(candidate)) continue;
      const double ns = Median(pool.samples);
      if (best.records > 0 && ns >= best.median_ns) continue;
      best = {rung, candidate, target, n_per_task, m_per_task, ns, pool.records, pool.newest};
    }
    if (best.records > 0) return best;
  }
  return {};
}

}  // namespace trit
