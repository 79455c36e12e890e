// tritforge tune: the best kernels for this machine.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <map>

#include "autotune/cli/command.h"
#include "autotune/cli/shapes.h"
#include "autotune/cli/tune_check.h"
#include "autotune/records/paths.h"
#include "autotune/registry.h"
#include "autotune/tune/library.h"
#include "autotune/tune/progress.h"
#include "autotune/tune/tuner.h"
#include "model/source/model_source.h"
#include "runtime/cpu_count.h"
#include "runtime/records/journal.h"
#include "runtime/tuned/tuned_library.h"
#include "targets/base/error.h"

namespace trit {
namespace {

std::atomic<bool> stop_asked{false};

// Linking a library once more and writing it, when the check took something back.
constexpr double kLandSeconds = 1.0;

struct Options {
  std::string model, shapes, budget = "60s", db, target, strategy = "model", cache;
  std::vector<int32_t> m = {1, 8, 128};
  std::vector<int> threads;
  uint64_t seed = 1;
  bool json = false, hot = false, quiet = false;
};

double ParseSeconds(const std::string& text) {
  size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  const std::string unit = text.substr(used);
  const double scale = unit.empty() || unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : 0;
  if (used == 0 || scale == 0 || !(value > 0) || value * scale > 1e7) {
    throw Error(Join("The budget \"", text, "\" is no time; say 60s, 10m or 2h."));
  }
  return value * scale;
}

// The products of a model's layers as the runtime makes them (model/arch/weights.h): q, k and v are
// one matrix, gate and up are one; equal shapes together.
std::vector<TuneShape> ShapesOfModel(const std::string& path) {
  const auto source = OpenModel(path);
  std::map<std::string, std::pair<int64_t, int64_t>> products;  // "blk.3.qkv" -> rows, columns
  for (const TensorInfo& tensor : source->tensors()) {
    // Master weights (float files) are told by their names.
    if (!tensor.name.starts_with("blk.") || tensor.rows < 2 || tensor.cols < 2) continue;
    const size_t dot = tensor.name.find('.', 4);
    if (dot == std::string::npos) continue;
    const std::string block = tensor.name.substr(0, dot + 1), part = tensor.name.substr(dot + 1);
    std::string product = part;
    for (const char* name : {"attn_q.", "attn_k.", "attn_v."}) {
      if (part.starts_with(name)) product = "qkv";
    }
    for (const char* name : {"ffn_gate.", "ffn_up."}) {
      if (part.starts_with(name)) product = "gate_up";
    }
    auto& [rows, columns] = products[block + product];
    if (columns != 0 && columns != tensor.cols) {
      throw Error(Join(path, ": the parts of ", block, product, " have ", columns, " and ",
                       tensor.cols, " columns."));
    }
    columns = tensor.cols;
    rows += tensor.rows;
  }
  std::map<std::pair<int64_t, int64_t>, int> counts;
  for (const auto& [name, shape] : products) {
    if (shape.first <= INT32_MAX && shape.second <= INT32_MAX) ++counts[shape];
  }
  std::vector<TuneShape> shapes;
  for (const auto& [shape, count] : counts) {
    shapes.push_back(
        {static_cast<int32_t>(shape.first), static_cast<int32_t>(shape.second), count});
  }
  if (shapes.empty())
    throw Error(Join(path, ": holds no ternary matrix; there is nothing to tune."));
  return shapes;
}

// What a 2B4T model asks for: qkv, out, gate and up, down, of 30 layers.
std::vector<TuneShape> ShapesOf2B4T() {
  return {{3840, 2560, 30}, {2560, 2560, 30}, {13824, 2560, 30}, {2560, 6912, 30}};
}

// Of all decisions that stand in the library, those that this plan is about.
std::vector<TunedChoice> ChoicesOfPlan(const TunePlan& plan,
                                       const std::vector<TunedChoice>& choices) {
  std::vector<TunedChoice> out;
  const auto holds = [](const auto& list, auto x) {
    return std::find(list.begin(), list.end(), x) != list.end();
  };
  for (const TunedChoice& c : choices) {
    if (!holds(plan.m, c.m) || !holds(plan.threads, c.threads)) continue;
    for (const TuneShape& shape : plan.shapes) {
      if (shape.n != c.shape.n || shape.k != c.shape.k) continue;
      out.push_back(c);
      out.back().shape.count = shape.count;
    }
  }
  return out;
}

void Tune(const Options& o) {
  TunePlan plan;
  if (!o.model.empty() && !o.shapes.empty()) throw Error("Say -m or --shapes, not both.");
  if (!o.model.empty()) {
    plan.shapes = ShapesOfModel(o.model);
  } else if (o.shapes.empty() || o.shapes == "2b4t") {
    plan.shapes = ShapesOf2B4T();
  } else {
    for (const Shape& s : ParseShapes(o.shapes)) plan.shapes.push_back({s.n, s.k, 1});
  }
  plan.m = o.m;
  plan.threads = o.threads.empty() ? std::vector<int>{CountCpus().default_threads} : o.threads;
  plan.budget_s = ParseSeconds(o.budget);
  plan.strategy = o.strategy;
  plan.seed = o.seed;
  plan.session.child_command = {std::filesystem::read_symlink("/proc/self/exe").string(),
                                "measure-candidate"};
  plan.session.build = ProgramBuild();
  plan.session.mode = o.hot ? "hot" : "cold";
  plan.session.parallel = std::max(1, CountCpus().default_threads);
  const double started = SessionClock();
  const double asked_budget = plan.budget_s;
  Catalogue catalogue;  // only its target until something has to be measured
  catalogue.target = TuningTarget(o.target);
  plan.session.target = catalogue.target;
  if (o.cache.empty() && catalogue.target != TuningTarget("")) {
    throw Error(Join("A library for ", catalogue.target, " in the user's cache would stand before ",
                     "the shipped kernels of ", TuningTarget(""),
                     ", which this CPU can run; name another folder with --cache."));
  }
  const std::string folder = o.cache.empty() ? TunedFolder() : o.cache;
  if (folder.empty())
    throw Error("Neither XDG_CACHE_HOME nor HOME names a folder for the library.");

  TuneResult result;
  LandedLibrary landed;
  const bool known = ReadFinishedResult(folder, PlanKey(catalogue, plan), asked_budget, &result);
  if (known) {
    landed = {FindTunedLibrary(folder).path, folder + "/manifest.json", result.choices};
  } else {
    constexpr double kCatalogueShare = 0.08;
    // For making the library and checking it.
    const double reserve = std::clamp(0.2 * asked_budget, 1.0, 30.0);
    catalogue = GeneratorCatalogue(catalogue.target, kCatalogueShare * asked_budget, o.seed);
    plan.reserve_s = reserve;
    plan.budget_s = std::max(1.0, asked_budget - reserve - (SessionClock() - started));
    Database database(o.db.empty() ? DefaultDatabasePath() : o.db, ProgramSignature());
    struct sigaction action = {};
    action.sa_handler = [](int) { stop_asked = true; };
    action.sa_flags = SA_RESETHAND;  // a second Ctrl-C ends at once
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    signal(SIGXFSZ, SIG_IGN);  // a full disk is an Error, not a signal
    ProgressLine line(stderr, isatty(STDERR_FILENO) != 0);
    Tuner tuner(catalogue, plan, &database);
    result = tuner.Run(
        [&](const TuneProgress& p) {
          if (!o.quiet) line.Show(p);
        },
        &stop_asked);
    TunePlan asked = plan;
    asked.budget_s = asked_budget;
    landed = LandTunedLibrary(catalogue, asked, result, folder);
    if (!landed.path.empty() && !stop_asked) {
      const auto tell = [&](const std::string& name) {
        TuneProgress p;
        p.stage = Join("tuned against shipped, ", name);
        p.measured = result.measured;
        const double spent = SessionClock() - started;
        p.seconds_left = std::max(0.0, asked_budget - spent);
        p.share_done = std::min(1.0, spent / asked_budget);
        if (!o.quiet) line.Show(p);
      };
      const double left = started + asked_budget - SessionClock() - kLandSeconds;
      TuneResult checked = result;
      checked.choices = ChoicesOfPlan(plan, landed.choices);
      const int slower =
          CheckLibrary(&checked.choices, landed.path, plan.session, std::max(1.0, left), tell);
      if (slower > 0) {
        landed = LandTunedLibrary(catalogue, asked, checked, folder);
      } else {
        RewriteManifest(catalogue, asked, checked, &landed);
      }
    }
    line.Clear();
    result.choices = landed.choices;
    result.seconds = SessionClock() - started;
  }
  result.choices = ChoicesOfPlan(plan, result.choices);
  if (o.json) {
    std::printf("%s", ReadWholeFile(landed.manifest).c_str());
    return;
  }
  std::printf("%s\n%s", ChoiceTable(result.choices).c_str(), TotalsText(result.choices).c_str());
  const auto checked = std::count_if(result.choices.begin(), result.choices.end(),
                                     [](const TunedChoice& c) { return c.check.blocks > 0; });
  if (checked > 0) {
    std::printf(
        "Of the new kernels %td were measured in the library against the shipped ones, in "
        "turns (A B B A).\n",
        checked);
  }
  for (const TunedChoice& c : result.choices) {
    std::printf("%dx%d m=%d threads=%d: %s\n", c.shape.n, c.shape.k, c.m, c.threads,
                c.reason.c_str());
  }
  if (known) {
    std::printf("Nothing new was measured: these decisions stand.\n");
  } else {
    std::printf(
        "%d measurements in %.1f s (%d failures, %d disturbed rounds discarded, the "
        "reference kernel varied by %.1f %%).\n",
        result.measured, result.seconds, result.failures, result.discarded_rounds,
        100 * result.noise);
  }
  if (landed.path.empty()) {
    std::printf("The shipped kernels stay in use.\n");
  } else {
    std::printf("The tuned library is %s; trit uses it from now on.\n", landed.path.c_str());
  }
  if (result.interrupted) {
    std::printf("Interrupted. Everything measured is kept; the same command goes on from here.\n");
  } else if (!result.finished) {
    std::printf("The budget is used up; a larger --budget goes on from here.\n");
  }
}

}  // namespace

void AddTune(CLI::App& program) {
  auto o = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("tune", "Makes this machine's own kernel library");
  command->add_option("-m,--model", o->model, "a model: its shapes are tuned");
  command->add_option("--shapes", o->shapes, "NxK,... or 2b4t (the default without a model)");
  command->add_option("--budget", o->budget, "time: 60s, 10m, 2h")->capture_default_str();
  command->add_option("--tokens", o->m, "token counts, ascending from 1")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--threads", o->threads, "thread counts (default: one a core)")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024));
  command->add_option("--target", o->target, "a folder of targets/ (default: the best here)");
  command->add_option("--strategy", o->strategy, "model, evolution, halving, random, exhaustive")
      ->capture_default_str();
  command->add_option("--seed", o->seed)->capture_default_str();
  command->add_option("--db", o->db, "database file (default: the user's, or $TRITFORGE_DB)");
  command->add_option("--cache", o->cache, "folder for the library (default: the user's cache)");
  command->add_flag("--hot", o->hot,
                    "weights that stay in cache (decode streams them: not honest)");
  command->add_flag("--json", o->json, "the result as JSON");
  command->add_flag("-q,--quiet", o->quiet, "no progress line");
  command->footer(
      "Examples:\n"
      "  tritforge tune -m model.gguf --budget 60s      the model's shapes; trit then uses the "
      "library\n"
      "  tritforge tune --shapes 2560x2560,6912x2560 --tokens 1,16,512 --threads 1,2\n"
      "  tritforge tune --target avx2 --cache /tmp/avx2 --json > result.json\n"
      "  tritforge report --tuning -o tuning.html       how the search went\n"
      "  TRIT_TUNED=off trit run -m model.gguf ...      without the tuned library\n"
      "Ctrl-C keeps everything measured; the same command goes on from there. A tuned kernel "
      "replaces a\n"
      "shipped one only when paired, interleaved rounds in several passes show it more than 1 % "
      "faster.");
  command->callback([o] { Tune(*o); });
}

}  // namespace trit
