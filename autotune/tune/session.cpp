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

std::string Contender::Text() const {
  std::string text = candidate;
  if (n_per_task > 0) text.append(Join(" n_per_task=", n_per_task));
  if (m_per_task > 0) text.append(Join(" m_per_task=", m_per_task));
  return text;
}

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
  const Contender contender{r.candidate, static_cast<int32_t>(r.n_per_task),
                            static_cast<int32_t>(r.m_per_task)};
  Measured& known = known_[{contender, item}];
  ReferenceLevel& level = levels_[item];
  for (double ns : r.reference_ns) level.Add(ns);
  known.ns.insert(known.ns.end(), r.samples_ns.begin(), r.samples_ns.end());
  known.reference_ns.insert(known.reference_ns.end(), r.reference_ns.begin(), r.reference_ns.end());
  known.reference_ns.resize(known.ns.size(), 0);
  known.fraction_of_roof = std::max(known.fraction_of_roof, r.FractionOfRoof());
  known.bytes = r.bytes;
}

Measured MeasureSession::Known(const Contender& contender, const WorkItem& item) const {
  const auto failed = failed_.find(contender.candidate);
  if (failed != failed_.end()) {
    Measured out;
    out.status = failed->second.first;
    out.detail = failed->second.second;
    return out;
  }
  const auto found = known_.find({contender, item});
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

void MeasureSession::Keep(const Contender& contender, const WorkItem& item, const Measured& m,
                          double bytes) {
  const std::string& candidate = contender.candidate;
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
  r.n_per_task = contender.n_per_task;
  r.m_per_task = contender.m_per_task;
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
  Measured& known = known_[{contender, item}];
  known.ns.insert(known.ns.end(), m.ns.begin(), m.ns.end());
  known.reference_ns.insert(known.reference_ns.end(), m.reference_ns.begin(), m.reference_ns.end());
  known.fraction_of_roof = std::max(known.fraction_of_roof, m.fraction_of_roof);
  known.bytes = bytes;
}

double MeasureSession::noise() const {
  double worst = 0;
  for (const auto& [item, level] : levels_) worst = std::max(worst, level.Noise());
  return worst;
}

CandidateProcess* MeasureSession::PrepareReference(const std::string& candidate,
                                                   const Json& setup) {
  // A process of its own, because the reference may be a candidate as well.
  const std::string key = "reference " + candidate;
  if (!processes_.contains(key)) {
    processes_[key] = std::make_unique<CandidateProcess>(options_.child_command);
    const Json loaded =
        processes_[key]->Ask({{"do", "load"}, {"candidate", candidate}}, options_.load_limit_s);
    if (StatusOfAnswer(loaded) != CheckStatus::kOk) {
      throw Error(Join("The shipped kernel \"", candidate,
                       "\" does not work here: ", loaded.value("detail", ""), "."));
    }
  }
  const Json ready = processes_[key]->Ask(setup, options_.setup_limit_s);
  if (StatusOfAnswer(ready) != CheckStatus::kOk) {
    throw Error(Join("The shipped kernel \"", candidate,
                     "\" cannot be timed here: ", ready.value("detail", ""), "."));
  }
  return processes_[key].get();
}

std::map<std::string, Measured> MeasureSession::Prepare(const std::vector<std::string>& candidates,
                                                        const WorkItem& item, const Json& setup,
                                                        std::map<std::string, double>* bytes) {
  struct Running {
    std::string text;
    CandidateProcess* process;
    bool loading;
  };
  std::map<std::string, Measured> out;
  std::vector<Running> running;  // a few at once; failures drop out
  const auto together = static_cast<size_t>(std::max(1, options_.parallel));
  const auto load = [](const std::string& text) {
    return Json{{"do", "load"}, {"candidate", text}};
  };
  for (size_t next = 0;;) {
    while (running.size() < together && next < candidates.size() && !TimeIsOver()) {
      const std::string& text = candidates[next++];
      if (EverFailed(text)) {
        out[text].status = failed_[text].first;
        out[text].detail = failed_[text].second;
        continue;
      }
      const bool loading = !processes_.contains(text);
      CandidateProcess* process = Process(text);
      process->Send(loading ? load(text) : setup,
                    loading ? options_.load_limit_s : options_.setup_limit_s);
      running.push_back({text, process, loading});
    }
    if (running.empty()) return out;
    std::vector<CandidateProcess*> waiting;
    std::vector<Running> still_running;
    for (Running& r : running) {
      Json answer;
      if (!r.process->Poll(&answer)) {
        waiting.push_back(r.process);
        still_running.push_back(r);
        continue;
      }
      Measured& m = out[r.text];
      m.status = StatusOfAnswer(answer);
      if (m.status != CheckStatus::kOk) {
        m.detail = answer.value("detail", "");
        Keep({r.text}, item, m, 0);
        EndProcess(r.text);
      } else if (r.loading) {
        compile_ns_[r.text] = answer.value("compile_ns", 0.0);
        r.process->Send(setup, options_.setup_limit_s);
        still_running.push_back({r.text, r.process, false});
      } else {
        (*bytes)[r.text] = answer.value("bytes", 0.0);
      }
    }
    // Somebody made a step: perhaps there is room for the next one.
    if (waiting.size() == running.size()) WaitForAny(waiting);
    running = std::move(still_running);
  }
}

std::vector<Measured> MeasureSession::Measure(const std::vector<Contender>& contenders,
                                              const std::vector<int>& rounds, const WorkItem& item,
                                              const Contender& reference, double sample_ms) {
  const size_t count = contenders.size();
  const int id = next_id_++;
  // Three times the last cache: no weight survives one turn through the copies.
  const Json setup = {
      {"do", "setup"},
      {"id", id},
      {"m", item.m},
      {"n", item.n},
      {"k", item.k},
      {"threads", item.threads},
      {"mode", options_.mode},
      {"sample_ms", sample_ms > 0 ? sample_ms : options_.sample_ms},
      {"cold_bytes", std::max<int64_t>(int64_t{48} << 20, 3 * ThisHost().l3_bytes)}};
  CandidateProcess* reference_process = PrepareReference(reference.candidate, setup);
  std::vector<std::string> candidates;  // each once
  for (const Contender& c : contenders) {
    if (std::find(candidates.begin(), candidates.end(), c.candidate) == candidates.end()) {
      candidates.push_back(c.candidate);
    }
  }
  std::map<std::string, double> bytes;
  const std::map<std::string, Measured> prepared = Prepare(candidates, item, setup, &bytes);
  std::vector<Measured> out(count);
  std::vector<bool> ready(count, false);
  std::vector<int> wanted(count, 0);
  for (size_t i = 0; i < count; ++i) {
    const auto found = prepared.find(contenders[i].candidate);
    if (found != prepared.end()) out[i] = found->second;
    ready[i] = out[i].status == CheckStatus::kOk && bytes.contains(contenders[i].candidate);
    wanted[i] = ready[i] ? rounds[i] : 0;
  }

  // Time, interleaved.
  const auto sample_of = [id](const Contender& c) {
    return Json{{"do", "sample"},
                {"id", id},
                {"count", 1},
                {"n_per_task", c.n_per_task},
                {"m_per_task", c.m_per_task}};
  };
  const auto sampler = [&](int job) -> std::optional<double> {
    const bool is_reference = job == kReferenceJob;
    const Contender& contender = is_reference ? reference : contenders[static_cast<size_t>(job)];
    CandidateProcess* process = is_reference ? reference_process : Process(contender.candidate);
    const Json answer = process->Ask(sample_of(contender), options_.sample_limit_s);
    if (StatusOfAnswer(answer) == CheckStatus::kOk) return answer["ns"].at(0).get<double>();
    if (is_reference) {
      throw Error(Join("The shipped kernel \"", reference.candidate,
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
    const double streamed = bytes[contenders[i].candidate];
    Measured& m = out[i];
    if (m.status == CheckStatus::kOk && job.ns.empty()) continue;  // no time was left
    if (m.status == CheckStatus::kOk) {
      m.bytes = streamed;
      m.ns = job.ns;
      m.reference_ns = job.reference;
      m.corrected = job.Corrected(level.Calm());
      m.fraction_of_roof = FractionOfRoof(item, EstimateNs(m.corrected), streamed);
      // Faster than the roof: the roof was measured in a bad moment.
      if (m.fraction_of_roof > 1.05 && roofs_[item.threads].measured < 4 && !TimeIsOver()) {
        MeasureRoofsOf(item.threads);
        m.fraction_of_roof = FractionOfRoof(item, EstimateNs(m.corrected), streamed);
      }
    }
    Keep(contenders[i], item, m, streamed);
  }
  // The memory of this item is given back; the compiled kernels stay for the next item.
  const Json drop = {{"do", "drop"}, {"id", id}};
  reference_process->Ask(drop, options_.setup_limit_s);
  for (const auto& [text, streamed] : bytes) {
    CandidateProcess* process = Process(text);
    if (!process->dead()) process->Ask(drop, options_.setup_limit_s);
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
