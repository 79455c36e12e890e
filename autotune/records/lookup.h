// The best known candidate for a workload, by a ladder of trust. The rung that answered is part of
// the answer.
//
//   host               measured on this very machine (Host::Key)
//   microarchitecture  on another machine of the same vendor, family and model
//   isa                on any machine, for the best target that this one can run as well
//   generic            on any machine, for any target that this one can run
//   default            nothing was measured: the candidate is empty, the shipped defaults decide
// A rung answers only when it has an ok record for exactly this workload, thread count and mode.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/records/record.h"

namespace trit {

enum class Rung { kHost, kMicroarchitecture, kIsa, kGeneric, kDefault };
const char* RungName(Rung rung);

struct LookupQuery {
  Workload workload;
  int threads = 1;
  std::string mode = "cold";
  std::string toolchain;             // BuildIdentity::Toolchain(); "" = any
  std::vector<std::string> targets;  // keys this CPU can run, best first
  Host host;
};

struct LookupAnswer {
  Rung rung = Rung::kDefault;
  std::string candidate;  // "" on the default rung
  std::string target;
  int64_t n_per_task = 0, m_per_task = 0;
  double median_ns = 0;            // over all samples of this candidate on the rung
  int records = 0;                 // that the median stands on
  const Record* newest = nullptr;  // of them; points into the span given
};

// Samples of the same candidate and slicing are pooled. A candidate that ever computed a wrong sum
// for the rung's machines is out, whatever else was measured. Ties: the smaller candidate text.
LookupAnswer Lookup(std::span<const Record> records, const LookupQuery& query);

}  // namespace trit
