#include "autotune/compare/live.h"

#include <cmath>

#include "autotune/measure/process.h"
#include "autotune/stats/signed_rank.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Json = nlohmann::json;

constexpr double kLimitS = 60;

class Side {
 public:
  Side(const LiveSide& side, const WorkItem& item, const LivePlan& plan)
      : process_(side.child_command) {
    const std::string candidate =
        Join("shipped ", item.n, " ", item.k, " ", item.m, " ", item.threads, " ", side.library);
    Check(process_.Ask({{"do", "load"}, {"candidate", candidate}}, kLimitS), side);
    const int64_t cold = std::max<int64_t>(int64_t{48} << 20, 3 * ThisHost().l3_bytes);
    Check(process_.Ask({{"do", "setup"},
                        {"id", 1},
                        {"m", item.m},
                        {"n", item.n},
                        {"k", item.k},
                        {"threads", item.threads},
                        {"mode", plan.mode},
                        {"n_per_task", 0},
                        {"m_per_task", 0},
                        {"cold_bytes", cold},
                        {"sample_ms", plan.sample_ms}},
                       kLimitS),
          side);
  }
  double Sample() {
    const Json answer = process_.Ask({{"do", "sample"}, {"id", 1}, {"count", 1}}, kLimitS);
    if (StatusOfAnswer(answer) != CheckStatus::kOk) throw Error(answer.value("detail", "failed"));
    return answer["ns"].at(0);
  }

 private:
  static void Check(const Json& answer, const LiveSide& side) {
    if (StatusOfAnswer(answer) == CheckStatus::kOk) return;
    throw Error(Join(side.library.empty() ? side.child_command.front() : side.library, ": ",
                     answer.value("detail", "failed")));
  }
  CandidateProcess process_;
};

}  // namespace

LiveResult MeasureLive(const LivePlan& plan,
                       const std::function<void(const std::string&)>& progress) {
  LiveResult result;
  const double started = SessionClock();
  for (size_t i = 0; i < plan.items.size(); ++i) {
    const WorkItem& item = plan.items[i];
    const std::string name =
        Join(item.AsWorkload().Text(), " threads=", item.threads, " ", plan.mode);
    // What is left is shared evenly by the items that are left.
    const double now = SessionClock();
    const double deadline = now + std::max(0.0, started + plan.budget_s - now) /
                                      static_cast<double>(plan.items.size() - i);
    if (progress) progress(name);
    try {
      Side a(plan.a, item, plan), b(plan.b, item, plan);
      a.Sample(), b.Sample();
      std::vector<double> ns_a, ns_b;
      for (int block = 0; block < plan.max_blocks; ++block) {
        if (block >= 2 && SessionClock() >= deadline) break;
        const double a1 = a.Sample(), b1 = b.Sample(), b2 = b.Sample(), a2 = a.Sample();
        ns_a.push_back((a1 + a2) / 2);
        ns_b.push_back((b1 + b2) / 2);
        if (block + 1 < plan.min_blocks || block % 3 != 2) continue;
        const Interval ratio = MedianOfRatios(ns_b, ns_a, 0.99, 500);
        // An interval that excludes 1 needs a test that agrees, also after Holm's factor.
        std::vector<double> logs;
        for (size_t j = 0; j < ns_a.size(); ++j) logs.push_back(std::log(ns_b[j] / ns_a[j]));
        const bool decided =
            ratio.Contains(1) || SignedRankP(logs) * static_cast<double>(plan.items.size()) < 0.002;
        if (decided && ratio.HalfWidth() <= plan.precision) break;
      }
      result.a[name].ns = ns_a;
      result.b[name].ns = ns_b;
    } catch (const Error& e) {
      result.faults.push_back(Join(name, ": ", std::string_view(e.what())));
    }
  }
  result.seconds = SessionClock() - started;
  return result;
}

}  // namespace trit
