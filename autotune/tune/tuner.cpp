#include "autotune/tune/tuner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "autotune/records/lookup.h"
#include "autotune/search/strategies.h"
#include "autotune/stats/robust.h"
#include "targets/base/error.h"

namespace trit {
namespace {

// Finals and their confirmation get this much of the budget, searches the rest.
constexpr double kFinalShare = 0.3;
constexpr int kLayouts = 3;            // that stay in the race after the one-token search
constexpr double kLayoutSlack = 1.05;  // and how far behind the best they may be
constexpr int kCarried = 2;            // kernels of a layout that are tried on the other shapes

// Fractions of the roof that a search may stop at: of the time that the fewest bytes of any kernel
// seen would take at the measured read bandwidth. Not of the kernel's own bytes, because a denser
// layout wins although the machine reads two bits a weight no faster; and not of the int8 units'
// peak, because lookup kernels pass it (lut3w: 102 to 106 % on Zen 4).
class SessionEvaluator : public Evaluator {
 public:
  SessionEvaluator(MeasureSession* session, const Catalogue& catalogue,
                   const std::vector<int>& entries, const WorkItem& item,
                   const Contender& reference, double sample_ms, double deadline_s)
      : session_(session),
        catalogue_(catalogue),
        entries_(entries),
        item_(item),
        reference_(reference),
        sample_ms_(sample_ms),
        deadline_s_(deadline_s) {}

  std::vector<Outcome> Measure(std::span<const Proposal> batch) override {
    if (session_->TimeIsOver() || SessionClock() >= deadline_s_) return {};
    std::vector<Contender> candidates;
    std::vector<int> rounds;
    for (const Proposal& p : batch) {
      candidates.push_back(
          {catalogue_.entries[static_cast<size_t>(entries_[static_cast<size_t>(p.point)])].text});
      rounds.push_back(p.rounds);
    }
    const std::vector<Measured> measured =
        session_->Measure(candidates, rounds, item_, reference_, sample_ms_);
    std::vector<Outcome> outcomes;
    for (size_t i = 0; i < measured.size(); ++i) {
      const Measured& m = measured[i];
      if (m.status == CheckStatus::kOk && m.ns.empty()) continue;
      if (m.status == CheckStatus::kOk) NoteBytes(m.bytes);
      outcomes.push_back({batch[i].point, m.corrected, m.status != CheckStatus::kOk,
                          m.corrected.empty() ? 0 : Fraction(EstimateNs(m.corrected))});
    }
    return outcomes;
  }

  void NoteBytes(double bytes) {
    if (bytes > 0) fewest_bytes_ = std::min(fewest_bytes_, bytes);
  }
  double Fraction(double ns) const {
    if (!std::isfinite(fewest_bytes_) || ns <= 0) return 0;
    return 1e9 * fewest_bytes_ / std::max(session_->roof_bytes_per_s(item_.threads), 1e-9) / ns;
  }

 private:
  MeasureSession* session_;
  const Catalogue& catalogue_;
  const std::vector<int>& entries_;
  WorkItem item_;
  Contender reference_;
  double sample_ms_, deadline_s_;
  double fewest_bytes_ = std::numeric_limits<double>::infinity();
};

}  // namespace

TokenRange RangeOf(const std::vector<int32_t>& m, size_t i) {
  const auto boundary = [&](size_t low) {  // first token count that belongs to m[low + 1]
    return static_cast<int32_t>(std::ceil(std::sqrt(double(m[low]) * m[low + 1])));
  };
  TokenRange range;
  range.first = i == 0 ? 1 : std::max(boundary(i - 1), m[i - 1] + 1);
  range.last = i + 1 == m.size() ? INT32_MAX : std::max(boundary(i), m[i] + 1) - 1;
  return range;
}

Tuner::Tuner(const Catalogue& catalogue, const TunePlan& plan, Database* database)
    : catalogue_(catalogue), plan_(plan), database_(database) {
  if (plan_.shapes.empty()) throw Error("There is no shape to tune.");
  if (plan_.m.empty() || plan_.m.front() != 1 || !std::is_sorted(plan_.m.begin(), plan_.m.end())) {
    throw Error("The token counts must ascend and begin with 1: decode decides the layout.");
  }
  // The shape that holds most of the weights first: searches run on it.
  std::stable_sort(plan_.shapes.begin(), plan_.shapes.end(),
                   [](const TuneShape& a, const TuneShape& b) {
                     return double(a.n) * a.k * a.count > double(b.n) * b.k * b.count;
                   });
}

int Tuner::EntryIndex(const std::string& text) const {
  for (size_t i = 0; i < catalogue_.entries.size(); ++i) {
    if (catalogue_.entries[i].text == text) return static_cast<int>(i);
  }
  throw Error(Join("The catalogue does not hold \"", text, "\"."));
}

// A round must be long against the clock and a context switch, short against a disturbance; a
// product of many tokens is one call a round.
double Tuner::SampleMs(const WorkItem& item) const {
  return item.m == 1 ? plan_.session.sample_ms : 0.75 * plan_.session.sample_ms;
}

void Tuner::Tell(const std::string& stage, double best_ns, double fraction) {
  if (!progress_) return;
  TuneProgress p;
  p.stage = stage;
  p.best_ns = best_ns;
  p.fraction_of_roof = fraction;
  p.measured = session_->records();
  const double spent = SessionClock() - started_s_;
  const double whole = plan_.budget_s + plan_.reserve_s;
  p.seconds_left = std::max(0.0, whole - spent);
  p.share_done = std::min(1.0, spent / whole);
  progress_(p);
}

std::vector<Tuner::Finalist> Tuner::Search(const std::vector<int>& entries, const WorkItem& item,
                                           const std::string& name, double share) {
  const SearchSpace space = MakeSearchSpace(catalogue_, entries, item.m == 1);
  const Contender reference = Incumbent(item);
  const double now = SessionClock();
  const double deadline = now + share * std::max(0.0, search_deadline_s_ - now);
  SessionEvaluator evaluator(session_.get(), catalogue_, entries, item, reference, SampleMs(item),
                             deadline);
  History history(space.size());
  std::vector<Measured> known;
  // Measured first, because they show where to look: what people found good, and what the records
  // of other machines advise (the database may be a fleet's).
  std::vector<Proposal> shipped;
  LookupQuery query;
  query.workload = item.AsWorkload();
  query.threads = item.threads;
  query.mode = plan_.session.mode;
  query.host = ThisHost();
  query.targets = {catalogue_.target};
  const LookupAnswer advised = Lookup(database_->records(), query);
  for (int i = 0; i < space.size(); ++i) {
    const CatalogueEntry& e =
        catalogue_.entries[static_cast<size_t>(entries[static_cast<size_t>(i)])];
    known.push_back(session_->Known({e.text}, item));
    evaluator.NoteBytes(known.back().bytes);
    if (known.back().ns.empty() && known.back().status == CheckStatus::kOk &&
        (catalogue_.IsShipped(e.text) || e.text == advised.candidate)) {
      shipped.push_back({i, plan_.rounds});
    }
  }
  for (int i = 0; i < space.size(); ++i) {
    const Measured& k = known[static_cast<size_t>(i)];
    if (k.status == CheckStatus::kOk && k.ns.empty()) continue;
    history.Add({i, k.corrected, k.status != CheckStatus::kOk,
                 k.corrected.empty() ? 0 : evaluator.Fraction(EstimateNs(k.corrected))});
  }
  Tell(name, 0, 0);
  if (!shipped.empty()) {
    for (const Outcome& outcome : evaluator.Measure(shipped)) history.Add(outcome);
  }
  const auto strategy = MakeStrategy(
      plan_.strategy, space, {.seed = plan_.seed, .rounds = plan_.rounds, .batch = plan_.batch});
  SearchLimits limits;
  limits.roof_stop = plan_.roof_stop;
  // What 98 % of the best needed on the synthetic landscapes; small spaces are searched whole.
  if (plan_.strategy != "exhaustive") {
    limits.max_points =
        std::max(40, space.size() * 15 / 100) - static_cast<int>(history.tried().size());
    limits.max_points = std::max(0, limits.max_points);
  }
  const auto of_nearer_roof = [&](const SearchStep& step) {
    if (step.best < 0) return 0.0;
    const int entry = entries[static_cast<size_t>(step.best)];
    return session_->Known({catalogue_.entries[static_cast<size_t>(entry)].text}, item)
        .fraction_of_roof;
  };
  SearchResult found =
      RunSearch(space, strategy.get(), &evaluator, limits, &history,
                [&](const SearchStep& step) { Tell(name, step.best_ns, of_nearer_roof(step)); });
  for (SearchStep& step : found.steps) step.fraction_of_roof = of_nearer_roof(step);
  result_->stages.push_back({name, found.steps, found.stopped, space.size()});
  cut_short_ |= found.stopped == "time";
  std::vector<Finalist> finalists;
  for (int point : history.Ranking()) {
    const int entry = entries[static_cast<size_t>(point)];
    finalists.push_back(
        {entry, {catalogue_.entries[static_cast<size_t>(entry)].text}, history[point].estimate});
  }
  return finalists;
}

void Tuner::TuneThreads(int threads, TuneResult* result) {
  session_->MeasureRoofsOf(threads);
  const TuneShape& probe = plan_.shapes.front();
  const auto layout_of = [&](int entry) -> const std::string& {
    return catalogue_.entries[static_cast<size_t>(entry)].layout;
  };
  std::set<std::string> layouts;
  // finalists[m][shape]
  std::vector<std::vector<std::vector<Finalist>>> finalists(plan_.m.size());
  for (size_t mi = 0; mi < plan_.m.size(); ++mi) {
    const int32_t m = plan_.m[mi];
    std::vector<int> entries;
    for (size_t i = 0; i < catalogue_.entries.size(); ++i) {
      const CatalogueEntry& e = catalogue_.entries[i];
      if (m < e.m_min || m > e.m_max || (m == 1 && e.m_granule > 1)) continue;
      if (m > 1 && !layouts.contains(e.layout)) continue;
      entries.push_back(static_cast<int>(i));
    }
    // The shipped kernels take part, so that nothing is compared with a number from elsewhere.
    std::set<int> always;
    for (const TuneShape& shape : plan_.shapes) {
      always.insert(EntryIndex(catalogue_.Default(shape.n, shape.k, m, threads).candidate));
    }
    for (int e : always) {
      if (std::find(entries.begin(), entries.end(), e) == entries.end()) entries.push_back(e);
    }
    const WorkItem item{m, probe.n, probe.k, threads};
    const std::string name = Join("m=", m, " n=", probe.n, " k=", probe.k, ", ", threads,
                                  threads == 1 ? " thread" : " threads");
    const double share = 1.0 / static_cast<double>(plan_.m.size() - mi);
    const std::vector<Finalist> ranking = Search(entries, item, name, share);
    if (m == 1) {
      for (const Finalist& f : ranking) {
        if (f.ns <= kLayoutSlack * ranking.front().ns &&
            static_cast<int>(layouts.size()) < kLayouts) {
          layouts.insert(layout_of(f.entry));
        }
      }
      for (int e : always) layouts.insert(layout_of(e));
    }
    // The best few of each layout in the race, on all shapes.
    std::map<std::string, int> taken;
    std::vector<Carried> carried;
    for (int e : always) carried.push_back({.entry = e});
    for (const Finalist& f : ranking) {
      if (!layouts.contains(layout_of(f.entry)) || taken[layout_of(f.entry)]++ >= kCarried)
        continue;
      if (!always.contains(f.entry)) carried.push_back({.entry = f.entry});
    }
    Tell(Join(name, ", slices"), 0, 0);
    carried = WithSlices(carried, item);
    carried.push_back({.entry = *always.begin(), .shipped = true});
    for (const TuneShape& shape : plan_.shapes) {
      Tell(Join("m=", m, " n=", shape.n, " k=", shape.k, ", finals"), 0, 0);
      finalists[mi].push_back(
          MeasureAll(carried, {m, shape.n, shape.k, threads}, plan_.rounds * 2));
    }
  }
  for (size_t s = 0; s < plan_.shapes.size(); ++s) {
    std::vector<std::vector<Finalist>> by_m;
    for (size_t mi = 0; mi < plan_.m.size(); ++mi) by_m.push_back(finalists[mi][s]);
    Decide(plan_.shapes[s], threads, by_m, result);
  }
}

TuneResult Tuner::Run(const std::function<void(const TuneProgress&)>& progress,
                      const std::atomic<bool>* stop) {
  TuneResult result;
  result_ = &result;
  progress_ = progress;
  started_s_ = SessionClock();
  plan_.session.deadline_s = started_s_ + plan_.budget_s;
  plan_.session.stop = stop;
  session_ = std::make_unique<MeasureSession>(database_, plan_.session);
  const auto share = static_cast<double>(plan_.threads.size());
  for (size_t t = 0; t < plan_.threads.size(); ++t) {
    search_deadline_s_ =
        started_s_ + plan_.budget_s * (static_cast<double>(t) + 1 - kFinalShare) / share;
    TuneThreads(plan_.threads[t], &result);
  }
  database_->Sync();
  result.measured = session_->records();
  result.failures = session_->failures();
  result.discarded_rounds = session_->discarded_rounds();
  result.noise = session_->noise();
  result.interrupted = session_->Stopped();
  result.finished = !cut_short_ && !result.interrupted;
  result.seconds = SessionClock() - started_s_;
  session_.reset();
  result_ = nullptr;
  return result;
}

}  // namespace trit
