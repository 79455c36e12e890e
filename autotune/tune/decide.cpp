// Finals against the shipped kernel, and the choice of one layout a tensor.
#include <algorithm>
#include <limits>

#include "autotune/stats/robust.h"
#include "autotune/tune/tuner.h"
#include "targets/base/error.h"

namespace trit {
namespace {

constexpr double kChallenge = 1.01;  // of the incumbent's time, below which a final is worth it

}  // namespace

// Paired passes against the incumbent. Rounds of earlier runs count as passes when they hold both.
TunedChoice Tuner::Final(const TuneShape& shape, int32_t m, int threads, const Finalist& challenger,
                         const Contender& incumbent) {
  const WorkItem item{m, shape.n, shape.k, threads};
  TunedChoice choice;
  choice.shape = shape;
  choice.m = m;
  choice.threads = threads;
  choice.incumbent = incumbent.candidate;
  choice.winner = challenger.contender.candidate;
  choice.n_per_task = challenger.contender.n_per_task;
  choice.m_per_task = challenger.contender.m_per_task;
  choice.layout = catalogue_.entries[static_cast<size_t>(challenger.entry)].layout;
  const auto passes_known = [&] {
    // Every record holds the reference of its rounds: the incumbent, interleaved.
    std::vector<PairedPass> passes;
    for (const Record& r : database_->records()) {
      if (r.candidate != choice.winner || r.n_per_task != choice.n_per_task ||
          r.m_per_task != choice.m_per_task || r.workload != item.AsWorkload() ||
          r.threads != threads || r.mode != plan_.session.mode || r.status != CheckStatus::kOk ||
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
  if (!passes.empty()) choice.verdict = JudgeChallenger(passes, plan_.promotion);
  while (choice.verdict.open(plan_.promotion) && !session_->TimeIsOver()) {
    Tell(Join("m=", m, " n=", shape.n, " k=", shape.k, ", promotion, pass ", passes.size() + 1),
         challenger.ns, 0);
    const std::vector<Measured> measured = session_->Measure(
        {challenger.contender}, {plan_.final_rounds}, item, incumbent, SampleMs(item));
    if (measured.front().status != CheckStatus::kOk) break;
    passes = passes_known();
    if (static_cast<int>(measured.front().ns.size()) < plan_.final_rounds) break;
    choice.verdict = JudgeChallenger(passes, plan_.promotion);
  }
  cut_short_ |= choice.verdict.open(plan_.promotion);
  if (passes.empty()) {
    const Measured known = session_->Known(incumbent, item);
    if (!known.ns.empty()) choice.incumbent_ns = Median(known.ns);
    choice.fraction_of_roof = known.fraction_of_roof;
    choice.reason = "kept: there was no time left to confirm the winner";
    return choice;
  }
  choice.reason = choice.verdict.reason;
  std::vector<double> winner, reference;
  for (const PairedPass& pass : passes) {
    winner.insert(winner.end(), pass.challenger_ns.begin(), pass.challenger_ns.end());
    reference.insert(reference.end(), pass.incumbent_ns.begin(), pass.incumbent_ns.end());
  }
  choice.winner_ns = Median(winner);
  choice.incumbent_ns = Median(reference);
  choice.fraction_of_roof = session_->Known(challenger.contender, item).fraction_of_roof;
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
      const WorkItem item{m, shape.n, shape.k, threads};
      const Contender incumbent = Incumbent(item);
      const Finalist* best = nullptr;  // of this layout, beside the incumbent itself
      double incumbent_ns = std::numeric_limits<double>::infinity();
      for (const Finalist& f : by_m[mi]) {
        if (f.contender == incumbent) {
          incumbent_ns = f.ns;
        } else if (!best && layout_of(f.entry) == layout) {
          best = &f;
        }
      }
      if (!best && layout != shipped) {
        obstacle = Join("layout ", layout, " has no kernel for m=", m);
        break;
      }
      if (layout != shipped && m == 1 && best->ns > kChallenge * incumbent_ns) {
        obstacle = Join("layout ", layout, " is not faster at m=1");
        break;
      }
      if (layout == shipped && (!best || best->ns > kChallenge * incumbent_ns)) {
        TunedChoice same;
        same.shape = shape;
        same.m = m;
        same.threads = threads;
        same.incumbent = same.winner = incumbent.candidate;
        same.n_per_task = incumbent.n_per_task;
        same.m_per_task = incumbent.m_per_task;
        same.layout = layout;
        const Measured known = session_->Known(incumbent, item);
        if (!known.ns.empty()) same.incumbent_ns = same.winner_ns = Median(known.ns);
        same.fraction_of_roof = known.fraction_of_roof;
        same.reason = "kept: nothing that was measured is faster";
        choices.push_back(same);
        continue;
      }
      TunedChoice choice = Final(shape, m, threads, *best, incumbent);
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
      if (layout == shipped) {
        // It was compared with one shipped row; where another one answers it stays.
        const auto [first, last] = catalogue_.DefaultSpan(shape.n, shape.k, choice.m, threads);
        choice.range.first = std::max(choice.range.first, first);
        choice.range.last = std::min(choice.range.last, last);
      }
      result->choices.push_back(choice);
    }
    return;
  }
  throw Error(Join("No layout was left for n=", shape.n, " k=", shape.k, "."));
}

}  // namespace trit
