#include "generator/library/plan.h"

#include <algorithm>
#include <map>

#include "generator/backend/stage.h"
#include "generator/embed/embedded.h"
#include "generator/family.h"
#include "targets/base/error.h"

namespace trit {
namespace {

bool Answers(const TunedRow& row, int32_t n, int32_t k, int32_t m) {
  return (row.n == 0 || row.n == n) && (row.k == 0 || row.k == k) && row.m_min <= m &&
         m <= row.m_max;
}

// Every layout in use must have rows for any n, k, threads that together hold every m.
void CheckCoverage(const LibraryPlan& plan) {
  std::map<std::string, std::vector<std::pair<int32_t, int32_t>>> ranges;
  for (const Candidate& c : plan.kernels) ranges[BuildParts(c, *plan.target).layout.id];
  for (const LibraryPlan::Row& r : plan.rows) {
    if (r.row.n || r.row.k || r.row.threads) continue;
    const std::string id = BuildParts(plan.kernels[r.kernel], *plan.target).layout.id;
    ranges[id].push_back({r.row.m_min, r.row.m_max});
  }
  for (auto& [id, covered] : ranges) {
    std::sort(covered.begin(), covered.end());
    int64_t next = 1;
    for (const auto& [first, last] : covered) {
      if (first <= next) next = std::max<int64_t>(next, int64_t{last} + 1);
    }
    if (next <= INT32_MAX) {
      throw Error(Join("the schedules of ", plan.target->key, " leave the layout ", id,
                       " without a kernel for any shape at m = ", next));
    }
  }
}

}  // namespace

bool HasDefaultRows(const Target& target) {
  return HasEmbedded(Join("tuned/", target.key, ".txt"));
}

std::vector<TunedRow> DefaultRows(const Target& target) {
  const std::string file = Join("tuned/", target.key, ".txt");
  if (!HasEmbedded(file)) {
    throw Error(Join("there are no default schedules for ", target.key, " (schedules/", file, ")"));
  }
  return ParseTuned(Embedded(file), Join("schedules/", file));
}

LibraryPlan PlanLibrary(const Target& target, const std::vector<TunedRow>& given,
                        const std::vector<ExactShape>& shapes, const std::vector<int32_t>& m) {
  if (given.empty()) throw Error(Join("there are no schedules for a library of ", target.key));
  std::vector<TunedRow> rows;
  for (const ExactShape& shape : shapes) {
    for (const int32_t tokens : m) {
      for (const TunedRow& row : given) {
        if (!Answers(row, shape.n, shape.k, tokens)) continue;
        TunedRow exact = row;
        exact.n = shape.n;
        exact.k = shape.k;
        exact.m_min = exact.m_max = tokens;
        rows.push_back(exact);
        if (row.threads == 0) break;  // rows for a thread count leave others to what follows
      }
    }
  }
  rows.insert(rows.end(), given.begin(), given.end());

  LibraryPlan plan;
  plan.target = &target;
  for (TunedRow& row : rows) {
    row.candidate = Canonical(row.candidate);
    if (row.candidate.target != target.key) {
      throw Error(
          Join("the candidate \"", row.candidate.Text(), "\" is no kernel for ", target.key));
    }
    auto at = std::find(plan.kernels.begin(), plan.kernels.end(), row.candidate);
    if (at == plan.kernels.end()) at = plan.kernels.insert(at, row.candidate);
    plan.rows.push_back({row, static_cast<uint32_t>(at - plan.kernels.begin())});
  }
  CheckCoverage(plan);
  return plan;
}

}  // namespace trit
