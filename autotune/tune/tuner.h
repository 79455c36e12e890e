// The tuner: searches a catalogue for each (shape, tokens, threads) and decides what replaces the
// shipped kernels.
//
// Layout is the outer variable: decode and prefill read the same packed bytes. The rule is decode
// first with prefill bounded: a tensor gets the layout whose one-token kernel is fastest, among
// those that are not certainly slower than the shipped kernels (PromotionRules::tolerance) at any
// token count that was asked for.
//
// For each thread count:
//   1  one-token kernels of all layouts, searched on the shape that holds most of the weights
//   2  slice widths for the best kernels of each good layout, and for the shipped one
//   3  the best of these on every other shape
//   4  for every other token count: the kernels of the good layouts, searched, sliced and carried
//      over to the other shapes in the same way
//   5  paired, interleaved passes of every winner against the shipped kernel (promote.h)
// A stage takes what the database knows and measures only the rest.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "autotune/search/search.h"
#include "autotune/tune/catalogue.h"
#include "autotune/tune/promote.h"
#include "autotune/tune/session.h"

namespace trit {

struct TuneShape {
  int32_t n = 0, k = 0;
  int count = 1;  // tensors of this shape in the model
};

struct TunePlan {
  std::vector<TuneShape> shapes;
  std::vector<int32_t> m = {1, 8, 128};  // ascending, the first one is 1
  std::vector<int> threads = {1};
  double budget_s = 60;
  double reserve_s = 0;  // what the caller has left after that; shown as time left
  std::string strategy = "model";
  uint64_t seed = 1;
  int rounds = 3;  // of a candidate in a search, and of a slice width
  int batch = 8;
  int final_rounds = 9;     // of a pass of a final
  double roof_stop = 0.97;  // a search ends at this fraction of the roof
  PromotionRules promotion;
  SessionOptions session;  // child command, target, build; the deadline is set by the tuner
};

// Range of tokens that m[i] stands for: boundaries at the geometric means.
struct TokenRange {
  int32_t first, last;
};
TokenRange RangeOf(const std::vector<int32_t>& m, size_t i);

struct TuneProgress {
  std::string stage;  // "decode 6912x2560, 2 threads"
  double best_ns = 0;
  double fraction_of_roof = 0;
  int measured = 0;  // candidates, so far
  double seconds_left = 0;
  double share_done = 0;  // of the budget
};

struct TunedChoice {
  TuneShape shape;
  int32_t m = 1;
  int threads = 1;
  TokenRange range{1, INT32_MAX};          // the tokens that m stands for
  std::string incumbent, winner;           // candidate texts; equal when nothing better was found
  int32_t n_per_task = 0, m_per_task = 0;  // of the winner
  std::string layout;                      // of the winner
  double incumbent_ns = 0, winner_ns = 0;
  double fraction_of_roof = 0;
  Verdict verdict;
  bool promoted = false;  // the tuned library will use the winner here
  std::string reason;

  // The library that was made of the decisions, against the shipped kernels, as programs load both
  // (autotune/cli/tune_check.h). blocks = 0: not compared, nothing differs or no time was left.
  struct LibraryCheck {
    int blocks = 0;
    double shipped_ns = 0, tuned_ns = 0;
    Interval ratio;          // tuned / shipped
    bool overruled = false;  // certainly slower: the promotion was taken back
  } check;
};

struct StageTrace {  // for the report: how a search converged
  std::string name;
  std::vector<SearchStep> steps;
  std::string stopped;
  int space = 0;
};

struct TuneResult {
  std::vector<TunedChoice> choices;
  std::vector<StageTrace> stages;
  int measured = 0;  // records written by this run
  int failures = 0;
  int discarded_rounds = 0;
  double noise = 0;  // spread of the reference kernel over the run
  double seconds = 0;
  bool interrupted = false;
  bool finished = false;  // every stage ran to its own end; more budget would add nothing
};

class Tuner {
 public:
  Tuner(const Catalogue& catalogue, const TunePlan& plan, Database* database);

  TuneResult Run(const std::function<void(const TuneProgress&)>& progress = {},
                 const std::atomic<bool>* stop = nullptr);

 private:
  struct Finalist {
    int entry;
    Contender contender;  // the entry's candidate and its slices on one shape
    double ns;
  };
  // A kernel on its way from shape to shape: slices as parts of what a thread gets.
  struct Carried {
    int entry;
    int n_parts = 0;  // row slices a thread; 0 = one piece
    int32_t m_per_task = 0;
    bool shipped = false;  // with the slices of its shipped row, whatever they are
  };

  std::vector<Finalist> Search(const std::vector<int>& entries, const WorkItem& item,
                               const std::string& name, double share);
  std::vector<Finalist> MeasureAll(const std::vector<Carried>& carried, const WorkItem& item,
                                   int rounds);
  // `carried` and, for each of its kernels, the best slices found on `item` where they help.
  std::vector<Carried> WithSlices(const std::vector<Carried>& carried, const WorkItem& item);
  Contender ContenderOf(const Carried& carried, const WorkItem& item) const;
  Contender Incumbent(const WorkItem& item) const;
  void TuneThreads(int threads, TuneResult* result);
  void Decide(const TuneShape& shape, int threads, const std::vector<std::vector<Finalist>>& by_m,
              TuneResult* result);
  TunedChoice Final(const TuneShape& shape, int32_t m, int threads, const Finalist& challenger,
                    const Contender& incumbent);
  double SampleMs(const WorkItem& item) const;
  void Tell(const std::string& stage, double best_ns, double fraction);
  int EntryIndex(const std::string& text) const;

  const Catalogue& catalogue_;
  TunePlan plan_;
  Database* database_;
  std::unique_ptr<MeasureSession> session_;
  std::function<void(const TuneProgress&)> progress_;
  TuneResult* result_ = nullptr;
  double started_s_ = 0, search_deadline_s_ = 0;
  bool cut_short_ = false;
};

}  // namespace trit
