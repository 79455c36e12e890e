#include "autotune/tune/session.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "autotune/search/search.h"
#include "autotune/stats/robust.h"
#include "runtime/records/folder.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Json = nlohmann::json;

}  // namespace

double SessionClock() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

MeasureSession::MeasureSession(Database* database, const SessionOptions& options)
    : database_(database), options_(options) {
  session_id_ = NewSessionId();
  const std::string host = ThisHost().Key();
  for (const Record& r : database_->records()) {
    if (r.host_key == host && r.build == options_.build && r.mode == options_.mode &&
        r.workload.suite == "matmul" && r.workload.name.empty()) {
      Learn(r);
    }
  }
}

MeasureSession::~MeasureSession() = default;

void MeasureSession::Learn(const Record& r) {
  const WorkItem item{static_cast<int32_t>(r.workload.m), static_cast<int32_t>(r.workload.n),
                      static_cast<int32_t>(r.workload.k), r.threads};
  if (r.status != CheckStatus::kOk) {
    // A refusal is about one shape; everything else condemns the candidate.
    if (r.status != CheckStatus::kRefused) failed_[r.candidate] = {r.status, r.detail};
    return;
  }
  Measured& known = known_[{r.candidate, item}];
  ReferenceLevel& level = levels_[item];
  for (double ns : r.reference_ns) level.Add(ns);
  known.ns.insert(known.ns.end(), r.samples_ns.begin(), r.samples_ns.end());
  known.reference_ns.insert(known.reference_ns.end(), r.reference_ns.begin(), r.reference_ns.end());
  known.reference_ns.resize(known.ns.size(), 0);
  known.fraction_of_roof = std::max(known.fraction_of_roof, r.FractionOfRoof());
}

Measured MeasureSession::Known(const std::string& candidate, const WorkItem& item) const {
  const auto failed = failed_.find(candidate);
  if (failed != failed_.end()) {
    Measured out;
    out.status = failed->second.first;
    out.detail = failed->second.second;
    return out;
  }
  const auto found = known_.find({candidate, item});
  if (found == known_.end()) return {};
  Measured out = found->second;
  const auto level = levels_.find(item);
  const RoundsResult::Job job{out.ns, out.reference_ns, false};
  out.corrected = job.Corrected(level == levels_.end() ? 0 : level->second.Calm());
  return out;
}

bool MeasureSession::TimeIsOver() const {
  return Stopped() || SessionClock() >= options_.deadline_s;
}

CandidateProcess* MeasureSession::Process(const std::string& candidate) {
  auto& process = processes_[candidate];
  if (!process) process = std::make_unique<CandidateProcess>(options_.child_command);
  return process.get();
}

void MeasureSession::EndProcess(const std::string& candidate) {
  processes_.erase(candidate);
}

void MeasureSession::MeasureRoofsOf(int threads) {
  CandidateProcess process(options_.child_command);
  const Json answer = process.Ask({{"do", "roofs"}, {"threads", threads}}, 60);
  // Not measured: fractions stay 0 and nothing stops early. Measured twice: other programs only
  // ever take away from a limit.
  Roof& roof = roofs_[threads];
  if (StatusOfAnswer(answer) != CheckStatus::kOk) return;
  roof.bytes_per_s = std::max(roof.bytes_per_s, answer.value("bytes_per_s", 0.0));
  roof.ops_per_s = std::max(roof.ops_per_s, answer.value("ops_per_s", 0.0));
  ++roof.measured;
}

double MeasureSession::roof_bytes_per_s(int threads) const {
  const auto roof = roofs_.find(threads);
  return roof == roofs_.end() ? 0 : roof->second.bytes_per_s;
}
double MeasureSession::roof_ops_per_s(int threads) const {
  const auto roof = roofs_.find(threads);
  return roof == roofs_.end() ? 0 : roof->second.ops_per_s;
}

double MeasureSession::FractionOfRoof(const WorkItem& item, double ns, double bytes) const {
  Record r;
  r.samples_ns = {ns};
  r.bytes = bytes;
  r.ops = double(item.m) * item.n * item.k;
  r.roof_bytes_per_s = roof_bytes_per_s(item.threads);
  r.roof_ops_per_s = roof_ops_per_s(item.threads);
  return r.FractionOfRoof();
}

void MeasureSession::Keep(const std::string& candidate, const WorkItem& item, const Measured& m,
                          double bytes) {
  Record r;
  r.time_s = time(nullptr);
  r.session = session_id_;
  r.sequence = ++records_;
  r.workload = item.AsWorkload();
  r.candidate = candidate;
  r.target = options_.target;
  r.build = options_.build;
  r.commit = ProgramCommit();
  r.host = ThisHost();
  r.host_key = r.host.Key();
  r.threads = item.threads;
  r.mode = options_.mode;
  r.samples_ns = m.ns;
  r.reference_ns = m.reference_ns;
  r.bytes = bytes;
  r.ops = double(item.m) * item.n * item.k;
  r.roof_bytes_per_s = roof_bytes_per_s(item.threads);
  r.roof_ops_per_s = roof_ops_per_s(item.threads);
  const auto compiled = compile_ns_.find(candidate);
  r.compile_ns = compiled == compile_ns_.end() ? 0 : compiled->second;
  r.status = m.status;
  r.detail = m.detail;
  failures_ += m.status != CheckStatus::kOk;
  database_->Append(r);
  if (m.status != CheckStatus::kOk) {
    if (m.status != CheckStatus::kRefused) failed_[candidate] = {m.status, m.detail};
    return;
  }
  Measured& known = known_[{candidate, item}];
  known.ns.insert(known.ns.end(), m.ns.begin(), m.ns.end());
  known.reference_ns.insert(known.reference_ns.end(), m.reference_ns.begin(), m.reference_ns.end());
  known.fraction_of_roof = std::max(known.fraction_of_roof, m.fraction_of_roof);
}

double MeasureSession::noise() const {
  double worst = 0;
  for (const auto& [item, level] : levels_) worst = std::max(worst, level.Noise());
  return worst;
}

std::vector<Measured> MeasureSession::Measure(const std::vector<std::string>& candidates,
                                              const std::vector<int>& rounds, const WorkItem& item,
                                              const std::string& reference, double sample_ms) {
  std::vector<Measured> out(candidates.size());
  std::vector<double> bytes(candidates.size(), 0);
  const size_t count = candidates.size();
  // The reference is a job like the others until the rounds begin; it may be a candidate as well,
  // and then has a process of its own.
  const std::string reference_key = "reference " + reference;
  if (!processes_.contains(reference_key)) {
    processes_[reference_key] = std::make_unique<CandidateProcess>(options_.child_command);
    const Json loaded = processes_[reference_key]->Ask({{"do", "load"}, {"candidate", reference}},
                                                       options_.load_limit_s);
    if (StatusOfAnswer(loaded) != CheckStatus::kOk) {
      throw Error(Join("The shipped kernel \"", reference,
                       "\" does not work here: ", loaded.value("detail", ""), "."));
    }
  }
  CandidateProcess* reference_process = processes_[reference_key].get();
  const int id = next_id_++;
  Json setup = {
      {"do", "setup"},         {"id", id},
      {"m", item.m},           {"n", item.n},
      {"k", item.k},           {"threads", item.threads},
      {"mode", options_.mode}, {"n_per_task", 0},
      {"m_per_task", 0},       {"sample_ms", sample_ms > 0 ? sample_ms : options_.sample_ms}};
  // Three times the last cache: no weight survives one turn through the copies.
  setup["cold_bytes"] = std::max<int64_t>(int64_t{48} << 20, 3 * ThisHost().l3_bytes);

  // Compile, check and set up, a few at once; failures drop out.
  std::vector<bool> ready(count, false);
  const auto together = static_cast<size_t>(std::max(1, options_.parallel));
  for (size_t begin = 0; begin < count && !TimeIsOver(); begin += together) {
    std::vector<size_t> group;
    for (size_t i = begin; i < std::min(count, begin + together); ++i) {
      if (EverFailed(candidates[i])) {
        out[i].status = failed_[candidates[i]].first;
        out[i].detail = failed_[candidates[i]].second;
      } else {
        group.push_back(i);
      }
    }
    for (const char* step : {"load", "setup"}) {
      std::vector<CandidateProcess*> asked;
      std::vector<size_t> asked_index;
      for (size_t i : group) {
        const bool is_load = std::string(step) == "load";
        if (is_load && processes_.contains(candidates[i])) continue;
        CandidateProcess* process = Process(candidates[i]);
        process->Send(is_load ? Json{{"do", "load"}, {"candidate", candidates[i]}} : setup,
                      is_load ? options_.load_limit_s : options_.setup_limit_s);
        asked.push_back(process);
        asked_index.push_back(i);
      }
      const std::vector<Json> answers = Gather(asked);
      for (size_t j = 0; j < answers.size(); ++j) {
        const size_t i = asked_index[j];
        out[i].status = StatusOfAnswer(answers[j]);
        if (out[i].status != CheckStatus::kOk) {
          out[i].detail = answers[j].value("detail", "");
          std::erase(group, i);
          Keep(candidates[i], item, out[i], 0);
          EndProcess(candidates[i]);
          continue;
        }
        if (answers[j].contains("compile_ns")) {
          compile_ns_[candidates[i]] = answers[j]["compile_ns"];
        }
        if (answers[j].contains("bytes")) bytes[i] = answers[j]["bytes"], ready[i] = true;
      }
    }
  }
  const Json reference_ready = reference_process->Ask(setup, options_.setup_limit_s);
  if (StatusOfAnswer(reference_ready) != CheckStatus::kOk) {
    throw Error(Join("The shipped kernel \"", reference,
                     "\" cannot be timed here: ", reference_ready.value("detail", ""), "."));
  }

  // Time, interleaved.
  std::vector<int> wanted(count, 0);
  for (size_t i = 0; i < count; ++i) wanted[i] = ready[i] ? rounds[i] : 0;
  const Json sample = {{"do", "sample"}, {"id", id}, {"count", 1}};
  const auto sampler = [&](int job) -> std::optional<double> {
    CandidateProcess* process =
        job == kReferenceJob ? reference_process : Process(candidates[static_cast<size_t>(job)]);
    const Json answer = process->Ask(sample, options_.sample_limit_s);
    if (StatusOfAnswer(answer) == CheckStatus::kOk) return answer["ns"].at(0).get<double>();
    if (job == kReferenceJob) {
      throw Error(Join("The shipped kernel \"", reference,
                       "\" failed while it was timed: ", answer.value("detail", ""), "."));
    }
    Measured& m = out[static_cast<size_t>(job)];
    m.status = StatusOfAnswer(answer);
    m.detail = answer.value("detail", "");
    return {};
  };
  RoundsOptions options;
  options.seed = options_.seed + static_cast<uint64_t>(id);
  options.stop = [this] { return TimeIsOver(); };
  ReferenceLevel& level = levels_[item];
  const RoundsResult result = MeasureRounds(wanted, sampler, &level, options);
  discarded_ += result.discarded;
  for (size_t i = 0; i < count; ++i) {
    if (!ready[i]) continue;
    const RoundsResult::Job& job = result.jobs[i];
    Measured& m = out[i];
    if (m.status == CheckStatus::kOk && job.ns.empty()) continue;  // no time was left
    if (m.status == CheckStatus::kOk) {
      m.ns = job.ns;
      m.reference_ns = job.reference;
      m.corrected = job.Corrected(level.Calm());
      m.fraction_of_roof = FractionOfRoof(item, EstimateNs(m.corrected), bytes[i]);
      // Faster than the roof: the roof was measured in a bad moment.
      if (m.fraction_of_roof > 1.05 && roofs_[item.threads].measured < 4 && !TimeIsOver()) {
        MeasureRoofsOf(item.threads);
        m.fraction_of_roof = FractionOfRoof(item, EstimateNs(m.corrected), bytes[i]);
      }
    }
    Keep(candidates[i], item, m, bytes[i]);
  }
  // The memory of this item is given back; the compiled kernels stay for the next item.
  const Json drop = {{"do", "drop"}, {"id", id}};
  reference_process->Ask(drop, options_.setup_limit_s);
  for (size_t i = 0; i < count; ++i) {
    if (ready[i] && out[i].status == CheckStatus::kOk) {
      Process(candidates[i])->Ask(drop, options_.setup_limit_s);
    }
  }
  // A search goes through hundreds of candidates; the finals come back to few of them, and their
  // objects are cached on disk.
  constexpr size_t kMostProcesses = 24;
  if (processes_.size() > kMostProcesses) {
    std::erase_if(processes_, [](const auto& p) { return !p.first.starts_with("reference "); });
  }
  return out;
}

}  // namespace trit
