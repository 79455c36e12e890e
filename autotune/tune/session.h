// One tuning run's measuring: children, the reference, roofs, the clock, and a record of
// everything.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "autotune/measure/process.h"
#include "autotune/measure/rounds.h"
#include "autotune/records/database.h"

namespace trit {

struct WorkItem {
  int32_t m = 1, n = 0, k = 0;
  int threads = 1;
  auto operator<=>(const WorkItem&) const = default;
  Workload AsWorkload() const { return {"matmul", "", m, n, k}; }
};

// What is timed: a candidate, and how its product is cut (as in trit_choice).
struct Contender {
  std::string candidate;
  int32_t n_per_task = 0, m_per_task = 0;
  auto operator<=>(const Contender&) const = default;
  std::string Text() const;  // the candidate, and the slices where there are any
};

struct Measured {
  CheckStatus status = CheckStatus::kOk;
  std::string detail;
  std::vector<double> ns;            // as taken
  std::vector<double> reference_ns;  // same rounds
  std::vector<double> corrected;     // as if the reference had been calm
  double fraction_of_roof = 0;
  double bytes = 0;  // streamed by one call; 0 = known from a run that did not say
};

struct SessionOptions {
  std::vector<std::string> child_command;  // a measuring child (measure/child.h)
  std::string target;
  std::string mode = "cold";
  BuildIdentity build;
  double deadline_s = 1e30;  // on SessionClock
  double load_limit_s = 30;
  double setup_limit_s = 30;
  double sample_limit_s = 10;
  double sample_ms = 6;
  int parallel = 2;  // children that compile at once
  uint64_t seed = 1;
  const std::atomic<bool>* stop = nullptr;  // Ctrl-C
};

double SessionClock();  // seconds, steady

class MeasureSession {
 public:
  MeasureSession(Database* database, const SessionOptions& options);
  ~MeasureSession();

  // Measures the roofs for a thread count; again: keeps the higher ones.
  void MeasureRoofsOf(int threads);

  // Times `candidates` on `item`: compiles and checks (in parallel), then interleaved rounds beside
  // `reference`, the incumbent. Appends a record each, failures too. Results in the order of
  // `contenders`; an empty `ns` with status ok = the time was over. Contenders that differ in their
  // slices alone share one process and its packed weights.
  std::vector<Measured> Measure(const std::vector<Contender>& contenders,
                                const std::vector<int>& rounds, const WorkItem& item,
                                const Contender& reference, double sample_ms = 0);

  // What earlier runs on this host with this build know, without measuring.
  Measured Known(const Contender& contender, const WorkItem& item) const;
  bool EverFailed(const std::string& candidate) const { return failed_.contains(candidate); }

  bool TimeIsOver() const;
  bool Stopped() const { return options_.stop && options_.stop->load(); }

  int records() const { return records_; }
  int failures() const { return failures_; }
  int discarded_rounds() const { return discarded_; }
  double noise() const;  // the worst reference's spread
  double roof_bytes_per_s(int threads) const;
  double roof_ops_per_s(int threads) const;

 private:
  struct Roof {
    double bytes_per_s = 0, ops_per_s = 0;
    int measured = 0;
  };
  CandidateProcess* Process(const std::string& candidate);
  void EndProcess(const std::string& candidate);
  // Compiles, checks and sets up; fills `bytes` of those that are ready, keeps failures.
  std::map<std::string, Measured> Prepare(const std::vector<std::string>& candidates,
                                          const WorkItem& item, const nlohmann::json& setup,
                                          std::map<std::string, double>* bytes);
  CandidateProcess* PrepareReference(const std::string& candidate, const nlohmann::json& setup);
  void Keep(const Contender& contender, const WorkItem& item, const Measured& m, double bytes);
  void Learn(const Record& record);
  double FractionOfRoof(const WorkItem& item, double ns, double bytes) const;

  Database* database_;
  SessionOptions options_;
  std::string session_id_;
  std::map<std::string, std::unique_ptr<CandidateProcess>> processes_;
  std::map<std::string, double> compile_ns_;
  std::map<WorkItem, ReferenceLevel> levels_;
  std::map<int, Roof> roofs_;
  std::map<std::pair<Contender, WorkItem>, Measured> known_;
  std::map<std::string, std::pair<CheckStatus, std::string>> failed_;
  int records_ = 0, failures_ = 0, discarded_ = 0;
  int next_id_ = 1;
};

}  // namespace trit
