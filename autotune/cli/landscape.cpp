// tritforge landscape: every candidate of a (reduced) space measured on one shape, and the search
// strategies replayed on such a file: the ground truth that searches are judged by.
#include "autotune/search/landscape.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <set>

#include "autotune/bench/kernel_bench.h"
#include "autotune/cli/command.h"
#include "autotune/cli/shapes.h"
#include "autotune/measure/process.h"
#include "autotune/registry.h"
#include "autotune/stats/robust.h"
#include "autotune/tune/catalogue.h"
#include "generator/kernel.h"
#include "runtime/cpu_count.h"
#include "runtime/records/journal.h"
#include "targets/base/error.h"

namespace trit {
namespace {

struct Options {
  std::string family, target, shape = "768x1280", file;
  std::vector<std::string> pins;
  int32_t m = 1;
  int rounds = 16;
  double sample_ms = 1;
  uint64_t seed = 1;
  bool prepare = false, checked = false;
  std::vector<std::string> replay;
  int seeds = 10;
  double share = 0.15;
};

// "name=a,b" -> the candidates whose setting is one of a, b.
bool Passes(const Candidate& c, const std::vector<std::string>& pins) {
  for (const std::string& pin : pins) {
    const size_t equals = pin.find('=');
    if (equals == std::string::npos) throw Error(Join("--pin ", pin, ": say NAME=VALUE,VALUE."));
    const std::string name = pin.substr(0, equals);
    bool found = false;
    std::string rest = pin.substr(equals + 1) + ",";
    for (size_t comma; (comma = rest.find(',')) != std::string::npos; rest.erase(0, comma + 1)) {
      found |= c.Name(name) == rest.substr(0, comma);
    }
    if (!found) return false;
  }
  return true;
}

std::vector<Candidate> Candidates(const Options& o, const Target& target) {
  const Family& family = FindFamily(o.family);
  if (!family.supports(target)) throw Error(Join(o.family, " has no kernels on ", o.target, "."));
  std::vector<Candidate> out;
  for (const Candidate& c : family.space(target).Enumerate(20000)) {
    if (!Passes(c, o.pins)) continue;
    const KernelParts parts = family.build(c, target);
    if (o.m < parts.m_min || o.m > parts.m_max || (o.m == 1 && parts.m_granule > 1)) continue;
    out.push_back(c);
  }
  if (out.size() < 2) throw Error(Join("The pins leave ", out.size(), " candidates."));
  return out;
}

// Compiles and checks every candidate in a process of its own; objects land in the cache. Returns
// those that failed.
std::set<std::string> Prepare(const std::vector<Candidate>& candidates) {
  const std::vector<std::string> command{std::filesystem::read_symlink("/proc/self/exe").string(),
                                         "measure-candidate"};
  const auto together = static_cast<size_t>(std::max(1, CountCpus().default_threads));
  std::set<std::string> failed;
  for (size_t begin = 0; begin < candidates.size(); begin += together) {
    const size_t end = std::min(candidates.size(), begin + together);
    std::vector<std::unique_ptr<CandidateProcess>> owned;
    std::vector<CandidateProcess*> processes;
    for (size_t i = begin; i < end; ++i) {
      owned.push_back(std::make_unique<CandidateProcess>(command));
      owned.back()->Send({{"do", "load"}, {"candidate", candidates[i].Text()}}, 60);
      processes.push_back(owned.back().get());
    }
    const auto answers = Gather(processes);
    for (size_t i = begin; i < end; ++i) {
      const auto& answer = answers[i - begin];
      if (StatusOfAnswer(answer) == CheckStatus::kOk) continue;
      failed.insert(candidates[i].Text());
      std::printf("failed: %s: %s\n", candidates[i].Text().c_str(),
                  answer.value("detail", std::string()).c_str());
    }
    if (begin / together % 50 == 0) {
      std::fprintf(stderr, "%zu of %zu compiled and checked\n", end, candidates.size());
    }
  }
  return failed;
}

// The points in the order of `candidates`, without timings.
RecordedLandscape Empty(const Options& o, const std::vector<Candidate>& candidates) {
  RecordedLandscape out;
  out.about = {{"family", o.family},    {"target", o.target},
               {"shape", o.shape},      {"tokens", std::to_string(o.m)},
               {"threads", "1"},        {"mode", "hot"},
               {"cpu", ThisHost().cpu}, {"build", GeneratorBuildId()}};
  for (const std::string& pin : o.pins) out.about["pins"] += pin + " ";
  Catalogue catalogue;
  std::vector<int> all;
  for (const Candidate& c : candidates) {
    CatalogueEntry entry;
    entry.text = c.Text();
    for (const Setting& s : c.settings) entry.settings[s.name] = s.value;
    all.push_back(static_cast<int>(catalogue.entries.size()));
    catalogue.entries.push_back(entry);
  }
  // The tuner's own axes (MakeSearchSpace), with the values' names.
  const SearchSpace space = MakeSearchSpace(catalogue, all);
  for (size_t a = 1; a < space.axes().size(); ++a) {  // axis 0 is the family
    const SearchAxis& axis = space.axes()[a];
    RecordedLandscape::Axis named{axis.name, axis.ordered, {}};
    named.values.resize(static_cast<size_t>(axis.values));
    for (size_t i = 0; i < candidates.size(); ++i) {
      const int at = space.points()[i].at[a];
      if (at >= 0) named.values[static_cast<size_t>(at)] = candidates[i].Name(axis.name);
    }
    out.axes.push_back(named);
  }
  for (const SearchPoint& p : space.points()) {
    out.points.push_back({{p.at.begin() + 1, p.at.end()}, {}});
  }
  return out;
}

void Measure(const Options& o, const std::vector<Candidate>& candidates,
             const std::set<std::string>& failed) {
  RecordedLandscape landscape = Empty(o, candidates);
  if (std::filesystem::exists(o.file)) {
    RecordedLandscape earlier = ReadLandscape(o.file);
    if (earlier.about != landscape.about || earlier.points.size() != landscape.points.size()) {
      throw Error(Join(o.file,
                       ": is of another space, shape, machine or build; its rounds cannot "
                       "be continued. Name another file."));
    }
    landscape = std::move(earlier);
  }
  const Shape shape = ParseShapes(o.shape).front();
  ThreadPool pool(1);
  std::vector<std::unique_ptr<JitKernel>> kernels;
  std::vector<std::unique_ptr<KernelBench>> benches;
  for (const Candidate& c : candidates) {
    kernels.emplace_back();
    benches.emplace_back();
    if (failed.contains(c.Text())) continue;
    try {
      kernels.back() = std::make_unique<JitKernel>(c);
      BenchCase bench;
      bench.kernel = &kernels.back()->kernel();
      bench.n = shape.n, bench.k = shape.k, bench.m = o.m;
      bench.hot = true;
      bench.sample_ms = o.sample_ms;
      benches.back() = std::make_unique<KernelBench>(bench, pool);
    } catch (const std::exception& e) {  // Halide's as well
      std::printf("failed: %s: %s\n", c.Text().c_str(), e.what());
    }
  }
  const auto sample = [](KernelBench* bench) {
    bench->Sample();
    return bench->Summary().samples_ns.back();
  };
  // The reference: whichever comes first. Sampled before every eighth point; a round is corrected
  // as a whole. Correcting every eight points by their own reference made outliers towards fast
  // out of a reference that was hit itself: the two halves of the rounds then agreed within 8 %
  // about a point's minimum, not within 2 %.
  KernelBench* reference = nullptr;
  for (const auto& bench : benches) {
    if (bench && !reference) reference = bench.get();
  }
  if (!reference) throw Error("No candidate works; there is nothing to measure.");
  constexpr size_t kReferenceEvery = 8;
  double calm_ns = 0;  // the first round's
  Random random(o.seed + landscape.Rounds());
  std::vector<size_t> order;
  for (size_t i = 0; i < benches.size(); ++i) {
    if (benches[i]) order.push_back(i);
  }
  for (int round = 0; round < o.rounds; ++round) {
    random.Shuffle(&order);
    std::vector<double> references, ns;
    for (size_t i = 0; i < order.size(); ++i) {
      if (i % kReferenceEvery == 0) references.push_back(sample(reference));
      ns.push_back(sample(benches[order[i]].get()));
    }
    const double now = Median(references);
    if (calm_ns == 0) calm_ns = now;
    for (size_t i = 0; i < order.size(); ++i) {
      landscape.points[order[i]].ns.push_back(ns[i] * calm_ns / now);
    }
    WriteFileAtomically(o.file, LandscapeText(landscape));
  }
  std::printf("%zu candidates, %zu failed, %zu rounds each: %s\n", candidates.size(),
              candidates.size() - order.size(), landscape.Rounds(), o.file.c_str());
}

void ReplayFiles(const Options& o) {
  for (const std::string& path : o.replay) {
    const RecordedLandscape landscape = ReadLandscape(path);
    std::vector<double> ns;
    for (size_t i = 0; i < landscape.points.size(); ++i) {
      const double t = TrueNs(landscape, static_cast<int>(i));
      if (std::isfinite(t)) ns.push_back(t);
    }
    const double best = Quantile(ns, 0);
    const auto near =
        std::count_if(ns.begin(), ns.end(), [&](double t) { return t * 0.98 <= best; });
    std::printf("%s: %zu candidates, %zu rounds, best %.2f us, median %.2f us, %td within 2 %%\n",
                path.c_str(), landscape.points.size(), landscape.Rounds(), best / 1e3,
                Median(ns) / 1e3, near);
    for (const char* strategy : {"model", "evolution", "halving", "random"}) {
      std::vector<double> quality, rounds;
      for (int seed = 1; seed <= o.seeds; ++seed) {
        const ReplayResult r = Replay(landscape, strategy, o.share, static_cast<uint64_t>(seed));
        quality.push_back(r.quality);
        rounds.push_back(double(r.rounds) / (3.0 * double(landscape.points.size())));
      }
      std::printf(
          "  %-10s median %.4f  worst %.4f of the best speed, %.1f %% of the measurements\n",
          strategy, Median(quality), Quantile(quality, 0), 100 * Median(rounds));
    }
  }
}

void Run(Options o) {
  if (!o.replay.empty()) return ReplayFiles(o);
  if (o.family.empty()) throw Error("Say --family, or --replay FILE.");
  if (o.file.empty() && !o.prepare) throw Error("Say -o FILE, or --prepare.");
  o.target = TuningTarget(o.target);
  const std::vector<Candidate> candidates = Candidates(o, FindTarget(o.target));
  std::printf("%zu candidates of %s on %s\n", candidates.size(), o.family.c_str(),
              o.target.c_str());
  std::set<std::string> failed;
  if (!o.checked) failed = Prepare(candidates);
  if (!o.prepare) Measure(o, candidates, failed);
}

}  // namespace

void AddLandscape(CLI::App& program) {
  auto o = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "landscape", "Measures a whole space, or replays searches on one that was measured");
  command->add_option("--family", o->family, "a kernel family");
  command->add_option("--target", o->target, "a folder of targets/ (default: the best here)");
  command->add_option("--pin", o->pins, "NAME=VALUE,VALUE: reduces the space (several times)");
  command->add_option("--shape", o->shape, "NxK, small: weights stay in cache")
      ->capture_default_str();
  command->add_option("--tokens", o->m)->capture_default_str()->check(CLI::PositiveNumber);
  command->add_option("--rounds", o->rounds, "of every candidate")->capture_default_str();
  command->add_option("--sample-ms", o->sample_ms)->capture_default_str();
  command->add_option("--seed", o->seed)->capture_default_str();
  command->add_flag("--prepare", o->prepare, "compile and check only: timing then needs seconds");
  command->add_flag("--checked", o->checked, "time at once: --prepare passed without a crash");
  command->add_option("-o,--output", o->file, "rounds are added when it exists");
  command->add_option("--replay", o->replay, "landscape files: no measuring");
  command->add_option("--seeds", o->seeds, "of each replayed strategy")->capture_default_str();
  command->add_option("--share", o->share, "of the measurements of an exhaustive search")
      ->capture_default_str();
  command->callback([o] { Run(*o); });
}

}  // namespace trit
