#include "autotune/cli/tune_check.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "autotune/compare/live.h"
#include "autotune/stats/robust.h"
#include "autotune/stats/signed_rank.h"
#include "targets/base/error.h"

namespace trit {

int CheckLibrary(std::vector<TunedChoice>* choices, const std::string& library,
                 const SessionOptions& session, double budget_s,
                 const std::function<void(const std::string&)>& progress) {
  constexpr double kAlpha = 0.01;
  LivePlan plan;
  plan.a = {session.child_command, ""};
  plan.b = {session.child_command, library};
  plan.mode = session.mode;
  plan.budget_s = budget_s;
  std::map<std::string, TunedChoice*> by_name;  // MeasureLive's names of its items
  for (TunedChoice& c : *choices) {
    c.check = {};
    if (!c.promoted) continue;
    const WorkItem item{c.m, c.shape.n, c.shape.k, c.threads};
    plan.items.push_back(item);
    by_name[Join(item.AsWorkload().Text(), " threads=", item.threads, " ", plan.mode)] = &c;
  }
  if (plan.items.empty()) return 0;
  const LiveResult live = MeasureLive(plan, progress);
  using Tensor = std::tuple<int32_t, int32_t, int>;
  std::set<Tensor> slower;
  for (const auto& [name, choice] : by_name) {
    const auto shipped = live.a.find(name), tuned = live.b.find(name);
    if (shipped == live.a.end() || tuned == live.b.end() || shipped->second.ns.empty()) continue;
    TunedChoice::LibraryCheck& check = choice->check;
    check.blocks = static_cast<int>(shipped->second.ns.size());
    check.shipped_ns = Median(shipped->second.ns);
    check.tuned_ns = Median(tuned->second.ns);
    check.ratio = MedianOfRatios(tuned->second.ns, shipped->second.ns);
    if (check.ratio.low > 1 && PairedP(tuned->second.ns, shipped->second.ns) <= kAlpha) {
      slower.insert({choice->shape.n, choice->shape.k, choice->threads});
    }
  }
  for (TunedChoice& c : *choices) {
    if (!slower.contains({c.shape.n, c.shape.k, c.threads})) continue;
    c.check.overruled = true;
    if (!c.promoted) continue;
    c.promoted = false;
    c.reason = Join("taken back: in the library this tensor was slower; before that: ", c.reason);
  }
  return static_cast<int>(slower.size());
}

}  // namespace trit
