// Kernels on their way from the searched shape to the others, with slices that helped there.
#include <algorithm>
#include <limits>
#include <set>

#include "autotune/tune/tuner.h"

namespace trit {
namespace {

constexpr double kSliceGain = 0.995;  // of the uncut time that slices must reach to be carried

}  // namespace

Contender Tuner::Incumbent(const WorkItem& item) const {
  const DefaultRow& row = catalogue_.Default(item.n, item.k, item.m, item.threads);
  return {row.candidate, row.n_per_task, row.m_per_task};
}

Contender Tuner::ContenderOf(const Carried& carried, const WorkItem& item) const {
  if (carried.shipped) return Incumbent(item);
  const CatalogueEntry& entry = catalogue_.entries[static_cast<size_t>(carried.entry)];
  Contender c{entry.text, 0, 0};
  if (carried.m_per_task > 0) {
    c.m_per_task = (carried.m_per_task + entry.m_granule - 1) / entry.m_granule * entry.m_granule;
    if (c.m_per_task >= item.m) c.m_per_task = 0;
  }
  if (carried.n_parts > 0) {
    const int32_t parts = item.threads * carried.n_parts;
    const int32_t rows = (item.n + parts - 1) / parts;
    c.n_per_task = (rows + entry.n_granule - 1) / entry.n_granule * entry.n_granule;
    if (c.n_per_task >= item.n) c.n_per_task = 0;
  }
  return c;
}

std::vector<Tuner::Finalist> Tuner::MeasureAll(const std::vector<Carried>& carried,
                                               const WorkItem& item, int rounds) {
  std::vector<Contender> all, missing;
  std::vector<int> entries, missing_rounds;
  for (const Carried& c : carried) {
    const Contender contender = ContenderOf(c, item);
    if (std::find(all.begin(), all.end(), contender) != all.end()) continue;
    all.push_back(contender);
    entries.push_back(EntryIndex(contender.candidate));
    const Measured known = session_->Known(contender, item);
    if (known.status != CheckStatus::kOk || static_cast<int>(known.ns.size()) >= rounds) continue;
    missing.push_back(contender);
    missing_rounds.push_back(rounds - static_cast<int>(known.ns.size()));
  }
  if (!missing.empty() && !session_->TimeIsOver()) {
    session_->Measure(missing, missing_rounds, item, Incumbent(item), SampleMs(item));
  }
  std::vector<Finalist> out;
  for (size_t i = 0; i < all.size(); ++i) {
    const Measured known = session_->Known(all[i], item);
    if (known.status == CheckStatus::kOk && !known.corrected.empty()) {
      out.push_back({entries[i], all[i], EstimateNs(known.corrected)});
    } else if (known.status == CheckStatus::kOk) {
      cut_short_ = true;
    }
  }
  std::sort(out.begin(), out.end(),
            [](const Finalist& a, const Finalist& b) { return a.ns < b.ns; });
  return out;
}

std::vector<Tuner::Carried> Tuner::WithSlices(const std::vector<Carried>& carried,
                                              const WorkItem& item) {
  std::vector<Carried> out = carried;
  // One token on one thread is one pass over the weights however it is cut.
  if (item.m == 1 && item.threads == 1) return out;
  std::vector<int32_t> m_sizes{0};
  for (const int32_t m : {16, 32, 64}) {
    if (m < item.m) m_sizes.push_back(m);
  }
  const int32_t even = (item.m + item.threads - 1) / item.threads;
  if (even < item.m && std::find(m_sizes.begin(), m_sizes.end(), even) == m_sizes.end()) {
    m_sizes.push_back(even);
  }
  std::set<int> kernels;
  for (const Carried& c : carried) {
    if (session_->TimeIsOver() || SessionClock() >= search_deadline_s_) {
      cut_short_ = true;
      break;
    }
    if (!kernels.insert(c.entry).second) continue;
    std::vector<Carried> cut;
    for (const int n_parts : {0, 1, 2, 4, 8}) {
      for (const int32_t m_per_task : m_sizes) {
        if (c.m_per_task == 0 && (n_parts != 1 || m_per_task > 0)) {
          cut.push_back({c.entry, n_parts, m_per_task});
        }
      }
    }
    const std::vector<Finalist> found = MeasureAll(cut, item, plan_.rounds);
    if (found.empty()) continue;
    const Contender whole = ContenderOf({c.entry}, item);
    double whole_ns = std::numeric_limits<double>::infinity();
    for (const Finalist& f : found) {
      if (f.contender == whole) whole_ns = f.ns;
    }
    if (found.front().contender == whole || found.front().ns > kSliceGain * whole_ns) continue;
    for (const Carried& way : cut) {
      if (ContenderOf(way, item) == found.front().contender) {
        out.push_back(way);
        break;
      }
    }
  }
  return out;
}

}  // namespace trit
