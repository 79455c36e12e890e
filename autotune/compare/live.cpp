#include "autotune/compare/live.h"

#include <algorithm>

#include "autotune/measure/process.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Json = nlohmann::json;

constexpr double kLimitS = 60;
constexpr int kBlocksOfAPlacement = 8;

// One side's process for one item.
class Side {
 public:
  Side(const LiveSide& side, const WorkItem& item, const LivePlan& plan)
      : side_(side), item_(item), plan_(plan), process_(side.child_command) {
    const Json answer =
        process_.Ask({{"do", "load"},
                      {"candidate", Join("shipped ", item.n, " ", item.k, " ", item.m, " ",
                                         item.threads, " ", side.library)}},
                     kLimitS);
    Check(answer);
    candidate_ = answer.value("candidate", "");
  }

  // New memory, and one sample that counts nothing.
  void Place() {
    if (id_ > 0) Check(process_.Ask({{"do", "drop"}, {"id", id_}}, kLimitS));
    const int64_t cold = std::max<int64_t>(int64_t{48} << 20, 3 * ThisHost().l3_bytes);
    Check(process_.Ask({{"do", "setup"},
                        {"id", ++id_},
                        {"m", item_.m},
                        {"n", item_.n},
                        {"k", item_.k},
                        {"threads", item_.threads},
                        {"mode", plan_.mode},
                        {"cold_bytes", cold},
                        {"sample_ms", plan_.sample_ms}},
                       kLimitS));
    Sample();
  }

  double Sample() {
    const Json answer = process_.Ask({{"do", "sample"}, {"id", id_}, {"count", 1}}, kLimitS);
    Check(answer);
    return answer["ns"].at(0);
  }

  const std::string& candidate() const { return candidate_; }

 private:
  void Check(const Json& answer) const {
    if (StatusOfAnswer(answer) == CheckStatus::kOk) return;
    throw Error(Join(side_.library.empty() ? side_.child_command.front() : side_.library, ": ",
                     answer.value("detail", "failed")));
  }

  const LiveSide& side_;
  const WorkItem& item_;
  const LivePlan& plan_;
  CandidateProcess process_;
  int id_ = 0;
  std::string candidate_;
};

struct Item {
  WorkItem work;
  std::string name;
  WorkloadSamples a, b;
  int groups = 0;
  bool decided = false;
  std::string fault;
};

bool Decided(const Item& item, const LivePlan& plan) {
  if (static_cast<int>(item.a.ns.size()) < plan.min_blocks) return false;
  const CompareResult result =
      CompareSets({{"", item.a}}, {{"", item.b}}, true, plan.rules, /*resamples=*/400);
  const WorkloadComparison& w = result.workloads.front();
  // Holm's factor for the worst of all items, so that the verdict holds among them too.
  const bool agreed = w.p * static_cast<double>(plan.items.size()) <= plan.rules.alpha;
  if (w.change == Change::kSlower || w.change == Change::kFaster) return agreed;
  return w.change == Change::kSame && w.ratio.HalfWidth() <= plan.precision;
}

void MeasureItem(Item* item, const LivePlan& plan, double deadline) {
  Side a(plan.a, item->work, plan), b(plan.b, item->work, plan);
  item->a.candidate = a.candidate();
  item->b.candidate = b.candidate();
  while (static_cast<int>(item->a.ns.size()) < plan.max_blocks) {
    a.Place(), b.Place();
    const int group = item->groups++;
    for (int block = 0; block < kBlocksOfAPlacement; ++block) {
      if (block >= 2 && SessionClock() >= deadline) return;
      const bool a_first = item->a.ns.size() % 2 == 0;
      Side& first = a_first ? a : b;
      Side& second = a_first ? b : a;
      const double one = first.Sample(), two = second.Sample(), three = second.Sample(),
                   four = first.Sample();
      const double outer = std::min(one, four), inner = std::min(two, three);
      item->a.ns.push_back(a_first ? outer : inner);
      item->b.ns.push_back(a_first ? inner : outer);
      item->a.group.push_back(group);
      item->b.group.push_back(group);
    }
    item->decided = Decided(*item, plan);
    if (item->decided || SessionClock() >= deadline) return;
  }
}

}  // namespace

LiveResult MeasureLive(const LivePlan& plan,
                       const std::function<void(const std::string&)>& progress) {
  const double started = SessionClock(), end = started + plan.budget_s;
  std::vector<Item> items;
  for (const WorkItem& work : plan.items) {
    items.push_back({});
    items.back().work = work;
    items.back().name = Join(work.AsWorkload().Text(), " threads=", work.threads, " ", plan.mode);
  }
  for (int pass = 0;; ++pass) {
    std::vector<Item*> open;
    for (Item& item : items) {
      const bool full = static_cast<int>(item.a.ns.size()) >= plan.max_blocks;
      if (!item.decided && !full && item.fault.empty()) open.push_back(&item);
    }
    if (open.empty() || (pass > 0 && SessionClock() >= end)) break;
    for (size_t i = 0; i < open.size(); ++i) {
      // What is left is shared evenly by the items that are left.
      const double now = SessionClock();
      if (now >= end) break;
      if (progress) progress(open[i]->name);
      try {
        MeasureItem(open[i], plan, now + (end - now) / static_cast<double>(open.size() - i));
      } catch (const Error& e) {
        open[i]->fault = e.what();
      }
    }
  }
  LiveResult result;
  for (Item& item : items) {
    if (item.fault.empty() && item.a.ns.empty()) item.fault = "no time was left in the budget";
    if (!item.fault.empty()) {
      result.faults.push_back(Join(item.name, ": ", item.fault));
      continue;
    }
    result.a[item.name] = std::move(item.a);
    result.b[item.name] = std::move(item.b);
  }
  result.seconds = SessionClock() - started;
  return result;
}

}  // namespace trit
