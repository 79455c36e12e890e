#include "autotune/tune/library.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

#include "autotune/registry.h"
#include "generator/library/plan.h"
#include "generator/library/write.h"
#include "runtime/records/journal.h"
#include "runtime/records/line.h"
#include "runtime/tuned/tuned_library.h"
#include "targets/base/error.h"

namespace trit {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

TunedRow AsTunedRow(const DefaultRow& row) {
  TunedRow out;
  out.n = row.n, out.k = row.k;
  out.m_min = row.m_min, out.m_max = row.m_max;
  out.threads = row.threads;
  out.n_per_task = row.n_per_task, out.m_per_task = row.m_per_task;
  out.candidate = ParseCandidate(row.candidate);
  return out;
}

Json IntervalJson(const Interval& i) {
  return {{"centre", i.centre}, {"low", i.low}, {"high", i.high}};
}

// "build.<pid>" or "<file>.new.<pid>" of a process that is gone.
bool LeftBehind(const std::string& name) {
  if (!name.starts_with("build.") && name.find(".new.") == std::string::npos) return false;
  const long pid = std::strtol(name.c_str() + name.rfind('.') + 1, nullptr, 10);
  return pid > 0 && kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH;
}

Interval IntervalOf(const Json& j) {
  return {j.at("centre"), j.at("low"), j.at("high")};
}

}  // namespace

std::vector<DefaultRow> TunedRows(const Catalogue& catalogue,
                                  const std::vector<TunedChoice>& choices) {
  std::vector<DefaultRow> rows;
  std::set<std::string> layouts;
  for (const TunedChoice& c : choices) {
    if (!c.promoted) continue;
    rows.push_back({c.shape.n, c.shape.k, c.range.first, c.range.last, c.threads, c.n_per_task,
                    c.m_per_task, c.winner});
    layouts.insert(c.layout);
  }
  std::vector<DefaultRow> any;
  for (const std::string& layout : layouts) {
    // The shipped rows cover their own layouts for every shape already.
    bool covered = true;
    std::map<int32_t, TunedChoice> kernels;  // by the first token they stand for
    for (const TunedChoice& c : choices) {
      if (!c.promoted || c.layout != layout) continue;
      covered &= catalogue.DefaultOfLayout(layout, c.m, 0) != nullptr;
      kernels.emplace(c.range.first, c);
    }
    if (covered) continue;
    int64_t next = 1;
    for (const auto& [first, c] : kernels) {
      if (c.range.last < next) continue;
      if (first > next) break;
      any.push_back({0, 0, static_cast<int32_t>(next), c.range.last, 0, 0, 0, c.winner});
      next = int64_t{c.range.last} + 1;
    }
    if (next <= INT32_MAX) {
      throw Error(Join("The layout ", layout, " has no tuned kernel for ", next, " tokens."));
    }
  }
  // Shipped rows before the any-shape rows of new layouts: a shape that was not tuned keeps its
  // shipped layout.
  rows.insert(rows.end(), catalogue.defaults.begin(), catalogue.defaults.end());
  rows.insert(rows.end(), any.begin(), any.end());
  return rows;
}

std::string PlanKey(const Catalogue& catalogue, const TunePlan& plan) {
  std::string text = Join(ProgramSignature(), " ", GeneratorBuildId(), " ", ThisHost().Key(), " ",
                          catalogue.target, " ", plan.strategy, " ", plan.session.mode, " ",
                          plan.seed, " ", plan.rounds, " ", plan.final_rounds);
  for (const TuneShape& s : plan.shapes) text += Join(" ", s.n, "x", s.k, "*", s.count);
  for (const int32_t m : plan.m) text += Join(" m", m);
  for (const int t : plan.threads) text += Join(" t", t);
  return HexHash(text);
}

std::string ResultJson(const Catalogue& catalogue, const TunePlan& plan, const TuneResult& result,
                       const std::string& library) {
  Json j;
  j["tritforge_tuned"] = 1;
  j["plan"] = PlanKey(catalogue, plan);
  j["library"] = library;
  j["target"] = catalogue.target;
  j["build"] = GeneratorBuildId();
  j["signature"] = ProgramSignature();
  j["host"] = {{"key", ThisHost().Key()}, {"cpu", ThisHost().cpu}, {"cores", ThisHost().cores}};
  j["budget_s"] = plan.budget_s;
  j["seconds"] = result.seconds;
  j["finished"] = result.finished;
  j["interrupted"] = result.interrupted;
  j["measured"] = result.measured;
  j["failures"] = result.failures;
  j["discarded_rounds"] = result.discarded_rounds;
  j["noise"] = result.noise;
  j["choices"] = Json::array();
  for (const TunedChoice& c : result.choices) {
    j["choices"].push_back({{"n", c.shape.n},
                            {"k", c.shape.k},
                            {"count", c.shape.count},
                            {"m", c.m},
                            {"m_first", c.range.first},
                            {"m_last", c.range.last},
                            {"threads", c.threads},
                            {"incumbent", c.incumbent},
                            {"winner", c.winner},
                            {"n_per_task", c.n_per_task},
                            {"m_per_task", c.m_per_task},
                            {"layout", c.layout},
                            {"incumbent_ns", c.incumbent_ns},
                            {"winner_ns", c.winner_ns},
                            {"fraction_of_roof", c.fraction_of_roof},
                            {"ratio", IntervalJson(c.verdict.ratio)},
                            {"p", c.verdict.p},
                            {"promoted", c.promoted},
                            {"check",
                             {{"blocks", c.check.blocks},
                              {"shipped_ns", c.check.shipped_ns},
                              {"tuned_ns", c.check.tuned_ns},
                              {"ratio", IntervalJson(c.check.ratio)},
                              {"overruled", c.check.overruled}}},
                            {"reason", c.reason}});
  }
  j["stages"] = Json::array();
  for (const StageTrace& stage : result.stages) {
    Json steps = Json::array();
    for (const SearchStep& s : stage.steps) {
      steps.push_back({{"points", s.points},
                       {"rounds", s.rounds},
                       {"best_ns", s.best_ns},
                       {"fraction_of_roof", s.fraction_of_roof}});
    }
    j["stages"].push_back({{"name", stage.name},
                           {"space", stage.space},
                           {"stopped", stage.stopped},
                           {"steps", steps}});
  }
  return j.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::vector<TunedChoice> ChoicesOf(const Json& j) {
  std::vector<TunedChoice> out;
  for (const Json& c : j.at("choices")) {
    TunedChoice choice;
    choice.shape = {c.at("n"), c.at("k"), c.at("count")};
    choice.m = c.at("m");
    choice.range = {c.at("m_first"), c.at("m_last")};
    choice.threads = c.at("threads");
    choice.incumbent = c.at("incumbent");
    choice.winner = c.at("winner");
    choice.n_per_task = c.at("n_per_task");
    choice.m_per_task = c.at("m_per_task");
    choice.layout = c.at("layout");
    choice.incumbent_ns = c.at("incumbent_ns");
    choice.winner_ns = c.at("winner_ns");
    choice.fraction_of_roof = c.at("fraction_of_roof");
    choice.verdict.ratio = IntervalOf(c.at("ratio"));
    const Json& check = c.at("check");
    choice.check = {check.at("blocks"), check.at("shipped_ns"), check.at("tuned_ns"),
                    IntervalOf(check.at("ratio")), check.at("overruled")};
    choice.verdict.p = c.at("p");
    choice.promoted = c.at("promoted");
    choice.reason = c.at("reason");
    out.push_back(choice);
  }
  return out;
}

std::vector<TunedChoice> ReadChoices(const std::string& folder, const std::string& target) {
  const std::string path = folder + "/manifest.json";
  std::error_code error;
  if (!fs::exists(path, error)) return {};
  const Json j = Json::parse(ReadWholeFile(path, 64 << 20), nullptr, false);
  try {
    if (!j.is_object() || j.value("build", "") != GeneratorBuildId() ||
        j.value("target", "") != target || j.at("host").value("key", "") != ThisHost().Key()) {
      return {};
    }
    return ChoicesOf(j);
  } catch (const nlohmann::json::exception&) {
    return {};  // of an older program
  }
}

std::vector<TunedChoice> MergeChoices(const std::vector<TunedChoice>& earlier,
                                      const TuneResult& result) {
  using Tensor = std::tuple<int32_t, int32_t, int>;
  const auto tensor = [](const TunedChoice& c) { return Tensor{c.shape.n, c.shape.k, c.threads}; };
  std::map<Tensor, bool> decided;  // by the new run: is something promoted?
  for (const TunedChoice& c : result.choices) {
    decided[tensor(c)] |= c.promoted || c.check.overruled;
  }
  std::set<Tensor> kept;
  std::vector<TunedChoice> out;
  for (const TunedChoice& c : earlier) {
    const auto found = decided.find(tensor(c));
    if (found != decided.end() && (found->second || result.finished)) continue;
    kept.insert(tensor(c));
    out.push_back(c);
  }
  for (const TunedChoice& c : result.choices) {
    if (!kept.contains(tensor(c))) out.push_back(c);
  }
  return out;
}

bool ReadFinishedResult(const std::string& folder, const std::string& key, double budget_s,
                        TuneResult* result) {
  const std::string path = folder + "/manifest.json";
  std::error_code error;
  if (!fs::exists(path, error)) return false;
  const Json j = Json::parse(ReadWholeFile(path, 64 << 20), nullptr, false);
  try {
    if (!j.is_object() || j.value("plan", "") != key) return false;
    if (!j.at("finished").get<bool>() &&
        (j.at("interrupted").get<bool>() || j.at("budget_s").get<double>() < budget_s)) {
      return false;
    }
    const std::string library = j.at("library");
    if (!library.empty() && FindTunedLibrary(folder).path != folder + "/" + library) return false;
    result->choices = ChoicesOf(j);
    result->finished = j.at("finished");
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;  // of an older program: tune again
  }
}

void RewriteManifest(const Catalogue& catalogue, const TunePlan& plan, const TuneResult& checked,
                     LandedLibrary* landed) {
  for (TunedChoice& c : landed->choices) {
    for (const TunedChoice& known : checked.choices) {
      if (known.shape.n == c.shape.n && known.shape.k == c.shape.k && known.m == c.m &&
          known.threads == c.threads) {
        c = known;
      }
    }
  }
  TuneResult all = checked;
  all.choices = landed->choices;
  const std::string name = fs::path(landed->path).filename();
  WriteFileAtomically(landed->manifest, ResultJson(catalogue, plan, all, name));
}

void PutLibrary(const std::string& folder, const std::string& bytes, const std::string& manifest) {
  const std::string name = bytes.empty() ? "" : ContentHash(bytes) + ".so";
  const std::string current = folder + "/current";
  std::error_code ignored;
  if (!bytes.empty()) WriteFileAtomically(Join(folder, "/", name), bytes);
  WriteFileAtomically(folder + "/manifest.json", manifest);
  if (bytes.empty()) {
    fs::remove(current, ignored);  // the shipped kernels are the best that is known
  } else {
    WriteFileAtomically(current, DescribeTunedLibrary(name, bytes));
  }
  // Libraries of earlier runs (a program that has one open keeps it until it ends) and what killed
  // runs left behind.
  for (const auto& file : fs::directory_iterator(folder, ignored)) {
    const std::string text = file.path().filename().string();
    const bool old_library = file.path().extension() == ".so" && text != name;
    if (old_library || LeftBehind(text)) {
      std::error_code also_ignored;
      fs::remove_all(file.path(), also_ignored);
    }
  }
}

LandedLibrary LandTunedLibrary(const Catalogue& catalogue, const TunePlan& plan,
                               const TuneResult& result, const std::string& folder) {
  LandedLibrary landed;
  landed.manifest = folder + "/manifest.json";
  TuneResult all = result;
  all.choices = MergeChoices(ReadChoices(folder, catalogue.target), result);
  landed.choices = all.choices;
  const bool any = std::any_of(all.choices.begin(), all.choices.end(),
                               [](const TunedChoice& c) { return c.promoted; });
  std::string name;
  if (any) {
    std::vector<TunedRow> rows;
    for (const DefaultRow& row : TunedRows(catalogue, all.choices)) {
      rows.push_back(AsTunedRow(row));
    }
    const std::string work = Join(folder, "/build.", static_cast<long>(getpid()));
    try {
      WriteLibraries({BuildLibrary(PlanLibrary(FindTarget(catalogue.target), rows))}, work);
      std::string bytes;
      for (const auto& file : fs::directory_iterator(work + "/lib")) {
        if (file.path().extension() == ".so") bytes = ReadWholeFile(file.path().string());
      }
      if (bytes.empty()) throw Error(Join(work, ": no shared library was linked."));
      name = ContentHash(bytes) + ".so";
      PutLibrary(folder, bytes, ResultJson(catalogue, plan, all, name));
    } catch (...) {
      std::error_code ignored;
      fs::remove_all(work, ignored);
      throw;
    }
    std::error_code ignored;
    fs::remove_all(work, ignored);
    landed.path = Join(folder, "/", name);
  } else {
    PutLibrary(folder, "", ResultJson(catalogue, plan, all, ""));
  }
  return landed;
}

}  // namespace trit
