#include "autotune/tune/tuner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

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

class SessionEvaluator : public Evaluator {
 public:
  SessionEvaluator(MeasureSession* session, const Catalogue& catalogue,
                   const std::vector<int>& entries, const WorkItem& item,
                   const std::string& reference, double sample_ms, double deadline_s)
      : session_(session),
        catalogue_(catalogue),
        entries_(entries),
        item_(item),
        reference_(reference),
        sample_ms_(sample_ms),
        deadline_s_(deadline_s) {}

  std::vector<Outcome> Measure(std::span<const Proposal> batch) override {
    if (session_->TimeIsOver() || SessionClock() >= deadline_s_) return {};
    std::vector<std::string> candidates;
    std::vector<int> rounds;
    for (const Proposal& p : batch) {
      candidates.push_back(
          catalogue_.entries[static_cast<size_t>(entries_[static_cast<size_t>(p.point)])].text);
      rounds.push_back(p.rounds);
    }
    const std::vector<Measured> measured =
        session_->Measure(candidates, rounds, item_, reference_, sample_ms_);
    std::vector<Outcome> outcomes;
    for (size_t i = 0; i < measured.size(); ++i) {
      const Measured& m = measured[i];
      if (m.status == CheckStatus::kOk && m.ns.empty()) continue;
      outcomes.push_back(
          {batch[i].point, m.corrected, m.status != CheckStatus::kOk, m.fraction_of_roof});
    }
    return outcomes;
  }

 private:
  MeasureSession* session_;
  const Catalogue& catalogue_;
  const std::vector<int>& entries_;
  WorkItem item_;
  std::string reference_;
  double sample_ms_, deadline_s_;
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
  p.seconds_left = std::max(0.0, plan_.budget_s - spent);
  p.share_done = std::min(1.0, spent / plan_.budget_s);
  progress_(p);
}

std::vector<Tuner::Finalist> Tuner::Search(const std::vector<int>& entries, const WorkItem& item,
                                           const std::string& name, double share) {
  const SearchSpace space = MakeSearchSpace(catalogue_, entries);
  const std::string reference = catalogue_.Default(item.n, item.k, item.m, item.threads).candidate;
  History history(space.size());
  for (int i = 0; i < space.size(); ++i) {
    const CatalogueEntry& e =
        catalogue_.entries[static_cast<size_t>(entries[static_cast<size_t>(i)])];
    const Measured known = session_->Known(e.text, item);
    if (known.status != CheckStatus::kOk || !known.ns.empty()) {
      history.Add({i, known.corrected, known.status != CheckStatus::kOk, known.fraction_of_roof});
    }
  }
  const double now = SessionClock();
  const double deadline = now + share * std::max(0.0, search_deadline_s_ - now);
  SessionEvaluator evaluator(session_.get(), catalogue_, entries, item, reference, SampleMs(item),
                             deadline);
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
  Tell(name, 0, 0);
  const SearchResult found =
      RunSearch(space, strategy.get(), &evaluator, limits, &history,
                [&](const SearchStep& step) { Tell(name, step.best_ns, step.fraction_of_roof); });
  result_->stages.push_back({name, found.steps, found.stopped, space.size()});
  cut_short_ |= found.stopped == "time";
  std::vector<Finalist> finalists;
  for (int point : history.Ranking()) {
    finalists.push_back({entries[static_cast<size_t>(point)], history[point].estimate});
  }
  return finalists;
}

std::vector<Tuner::Finalist> Tuner::MeasureAll(const std::vector<int>& entries,
                                               const WorkItem& item, int rounds) {
  std::vector<std::string> candidates;
  std::vector<int> missing, asked;
  for (int e : entries) {
    const std::string& text = catalogue_.entries[static_cast<size_t>(e)].text;
    const Measured known = session_->Known(text, item);
    if (known.status != CheckStatus::kOk || static_cast<int>(known.ns.size()) >= rounds) continue;
    candidates.push_back(text);
    missing.push_back(rounds - static_cast<int>(known.ns.size()));
  }
  if (!candidates.empty() && !session_->TimeIsOver()) {
    session_->Measure(candidates, missing, item,
                      catalogue_.Default(item.n, item.k, item.m, item.threads).candidate,
                      SampleMs(item));
  }
  std::vector<Finalist> out;
  for (int e : entries) {
    const Measured known = session_->Known(catalogue_.entries[static_cast<size_t>(e)].text, item);
    if (known.status == CheckStatus::kOk && !known.corrected.empty()) {
      out.push_back({e, EstimateNs(known.corrected)});
    } else if (known.status == CheckStatus::kOk) {
      cut_short_ = true;
    }
  }
  std::sort(out.begin(), out.end(),
            [](const Finalist& a, const Finalist& b) { return a.ns < b.ns; });
  return out;
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
    std::vector<int> carried(always.begin(), always.end());
    for (const Finalist& f : ranking) {
      if (!layouts.contains(layout_of(f.entry)) || taken[layout_of(f.entry)]++ >= kCarried)
        continue;
      if (!always.contains(f.entry)) carried.push_back(f.entry);
    }
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

// Paired passes against the incumbent. Rounds of earlier runs count as passes when they hold both.
TunedChoice Tuner::Final(const TuneShape& shape, int32_t m, int threads, int entry,
                         const std::string& incumbent) {
  const WorkItem item{m, shape.n, shape.k, threads};
  TunedChoice choice;
  choice.shape = shape;
  choice.m = m;
  choice.threads = threads;
  choice.incumbent = incumbent;
  choice.winner = catalogue_.entries[static_cast<size_t>(entry)].text;
  choice.layout = catalogue_.entries[static_cast<size_t>(entry)].layout;
  Tell(Join("m=", m, " n=", shape.n, " k=", shape.k, ", promotion"), 0, 0);
  const auto passes_known = [&] {
    // Every record holds the reference of its rounds: the incumbent, interleaved.
    std::vector<PairedPass> passes;
    for (const Record& r : database_->records()) {
      if (r.candidate != choice.winner || r.workload != item.AsWorkload() || r.threads != threads ||
          r.mode != plan_.session.mode || r.status != CheckStatus::kOk ||
          r.host_key != ThisHost().Key() || r.build != plan_.session.build ||
          r.samples_ns.size() != r.reference_ns.size() ||
          static_cast<int>(r.samples_ns.size()) < plan_.final_rounds) {
        continue;
      }
      passes.push_back({r.samples_ns, r.reference_ns});
    }
    return passes;
  };
  std::vector<PairedPass> passes = passes_known();
  while (static_cast<int>(passes.size()) < plan_.promotion.min_passes && !session_->TimeIsOver()) {
    const std::vector<Measured> measured =
        session_->Measure({choice.winner}, {plan_.final_rounds}, item, incumbent, SampleMs(item));
    if (measured.front().status != CheckStatus::kOk || measured.front().ns.empty()) break;
    passes = passes_known();
    if (static_cast<int>(measured.front().ns.size()) < plan_.final_rounds) break;
  }
  if (passes.empty()) {
    cut_short_ = true;
    choice.reason = "kept: there was no time left to confirm the winner";
    return choice;
  }
  choice.verdict = JudgeChallenger(passes, plan_.promotion);
  choice.reason = choice.verdict.reason;
  std::vector<double> winner, reference;
  for (const PairedPass& pass : passes) {
    winner.insert(winner.end(), pass.challenger_ns.begin(), pass.challenger_ns.end());
    reference.insert(reference.end(), pass.incumbent_ns.begin(), pass.incumbent_ns.end());
  }
  choice.winner_ns = Median(winner);
  choice.incumbent_ns = Median(reference);
  choice.fraction_of_roof = session_->Known(choice.winner, item).fraction_of_roof;
  cut_short_ |= static_cast<int>(passes.size()) < plan_.promotion.min_passes;
  return choice;
}

void Tuner::Decide(const TuneShape& shape, int threads,
                   const std::vector<std::vector<Finalist>>& by_m, TuneResult* result) {
  const auto layout_of = [&](int entry) {
    return catalogue_.entries[static_cast<size_t>(entry)].layout;
  };
  const std::string shipped =
      layout_of(EntryIndex(catalogue_.Default(shape.n, shape.k, 1, threads).candidate));
  // Layouts in the order of their one-token kernels; the shipped one ends the row.
  std::vector<std::string> order;
  for (const Finalist& f : by_m.front()) {
    if (std::find(order.begin(), order.end(), layout_of(f.entry)) == order.end()) {
      order.push_back(layout_of(f.entry));
    }
  }
  if (std::find(order.begin(), order.end(), shipped) == order.end()) order.push_back(shipped);
  std::string layout_notes;
  for (const std::string& layout : order) {
    std::vector<TunedChoice> choices;
    std::string obstacle;
    for (size_t mi = 0; mi < plan_.m.size() && obstacle.empty(); ++mi) {
      const int32_t m = plan_.m[mi];
      const std::string incumbent = catalogue_.Default(shape.n, shape.k, m, threads).candidate;
      int best = -1;
      for (const Finalist& f : by_m[mi]) {
        if (layout_of(f.entry) == layout) {
          best = f.entry;
          break;
        }
      }
      const bool nothing_better =
          best < 0 || catalogue_.entries[static_cast<size_t>(best)].text == incumbent;
      if (nothing_better && layout != shipped) {
        obstacle = Join("layout ", layout, " has no kernel for m=", m);
        break;
      }
      if (nothing_better) {
        TunedChoice same;
        same.shape = shape;
        same.m = m;
        same.threads = threads;
        same.incumbent = same.winner = incumbent;
        same.layout = layout;
        const WorkItem item{m, shape.n, shape.k, threads};
        const Measured known = session_->Known(incumbent, item);
        if (!known.ns.empty()) same.incumbent_ns = same.winner_ns = Median(known.ns);
        same.fraction_of_roof = known.fraction_of_roof;
        same.reason = "kept: nothing that was measured is faster";
        choices.push_back(same);
        continue;
      }
      TunedChoice choice = Final(shape, m, threads, best, incumbent);
      choice.promoted = choice.verdict.promoted;
      if (layout != shipped) {
        // All or nothing: the tensor is packed once.
        if (m == 1 && !choice.promoted) {
          obstacle = Join("layout ", layout, " at m=1 ", choice.reason);
        } else if (choice.verdict.slower ||
                   choice.verdict.ratio.centre > 1 + plan_.promotion.tolerance) {
          obstacle = Join("layout ", layout, " would cost prefill: m=", m, " ", choice.reason);
        } else if (choice.winner_ns == 0) {
          obstacle = Join("layout ", layout, " could not be confirmed in time");
        } else if (!choice.promoted) {
          choice.promoted = true;
          choice.reason = Join("goes with the layout: ", choice.reason);
        }
      }
      choices.push_back(choice);
    }
    if (!obstacle.empty()) {
      layout_notes += Join(layout_notes.empty() ? "" : "; ", obstacle);
      continue;
    }
    for (TunedChoice& choice : choices) {
      if (!layout_notes.empty() && choice.m == 1) choice.reason += Join(" (", layout_notes, ")");
      choice.range =
          RangeOf(plan_.m, static_cast<size_t>(std::find(plan_.m.begin(), plan_.m.end(), choice.m) -
                                               plan_.m.begin()));
      result->choices.push_back(choice);
    }
    return;
  }
  throw Error(Join("No layout was left for n=", shape.n, " k=", shape.k, "."));
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
