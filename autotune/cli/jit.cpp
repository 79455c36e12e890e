// tritforge jit: how long candidates take from text to callable code.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "autotune/cli/command.h"
#include "generator/kernel.h"
#include "targets/base/error.h"
#include "targets/features.h"

namespace trit {
namespace {

struct Options {
  std::vector<std::string> isa, families, candidates;
  int count = 100;
  uint64_t seed = 1;
  bool each = false;
};

struct Timed {
  std::string text;
  double total = 0;  // the caller's clock, shared pieces (packer, activation form) included
  CompileTimes parts;
};

double Now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

// Points of every space of this machine's architecture, families and targets in equal parts.
std::vector<std::string> RandomMix(const Options& options) {
  const auto wanted = [](const std::vector<std::string>& list, const char* name) {
    return list.empty() || std::find(list.begin(), list.end(), name) != list.end();
  };
  for (const std::string& name : options.families)
    FindFamily(name);  // throws: names the known ones
  for (const std::string& name : options.isa) FindTarget(name);
  std::vector<Space> spaces;
  for (const Family* family : AllFamilies()) {
    for (const Target& target : AllTargets()) {
      if (target.arch == HostArch() && family->supports(target) &&
          wanted(options.isa, target.key) && wanted(options.families, family->name)) {
        spaces.push_back(family->space(target));
      }
    }
  }
  if (spaces.empty()) throw Error("no family has a space for the targets and families asked for");
  std::mt19937_64 rng(options.seed);
  std::vector<std::string> out;
  for (int i = 0; i < options.count; ++i)
    out.push_back(spaces[rng() % spaces.size()].Random(rng).Text());
  return out;
}

double Quantile(std::vector<double> values, double at) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1,
                         static_cast<size_t>(at * static_cast<double>(values.size())))];
}

void Run(const Options& options) {
  setenv("TRITFORGE_CACHE", "off", 1);
  const std::vector<std::string> texts =
      options.candidates.empty() ? RandomMix(options) : options.candidates;
  const auto time = [](const std::string& text) {
    Timed out;
    out.text = text;
    const double start = Now();
    const JitKernel kernel(ReadCandidate(text));
    out.total = Now() - start;
    out.parts = LastCompileTimes();
    return out;
  };
  time(texts[0]);  // starting the compilers is not a candidate's time
  std::vector<Timed> all;
  for (const std::string& text : texts) {
    all.push_back(time(text));
    if (options.each) std::printf("%7.1f ms  %s\n", all.back().total, text.c_str());
  }
  const auto row = [&](const char* name, const auto& value) {
    std::vector<double> values;
    for (const Timed& t : all) values.push_back(value(t));
    std::printf("| %s | %.1f | %.1f | %.1f |\n", name, Quantile(values, 0.5), Quantile(values, 0.9),
                Quantile(values, 1));
  };
  std::printf("| %zu candidates, ms | median | p90 | max |\n|---|---|---|---|\n", all.size());
  row("text to callable code", [](const Timed& t) { return t.total; });
  row("not in the parts below", [](const Timed& t) { return t.total - t.parts.Total(); });
  row("family", [](const Timed& t) { return t.parts.build; });
  row("Halide lowering", [](const Timed& t) { return t.parts.lower; });
  row("Halide bitcode", [](const Timed& t) { return t.parts.halide - t.parts.lower; });
  row("LLVM 19 link", [](const Timed& t) { return t.parts.link; });
  row("LLVM 19 optimise", [](const Timed& t) { return t.parts.optimise; });
  row("LLVM 19 emit", [](const Timed& t) { return t.parts.emit; });
  row("waiting for packer and form", [](const Timed& t) { return t.parts.wait; });
  row("load", [](const Timed& t) { return t.parts.load; });
}

}  // namespace

void AddJit(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "jit", "Milliseconds from a candidate's text to callable code, over random candidates");
  command->add_option("candidate", options->candidates, "these candidates instead of random ones");
  command->add_option("--count", options->count, "random candidates")->check(CLI::Range(1, 100000));
  command->add_option("--seed", options->seed, "of the random candidates");
  command->add_option("--isa", options->isa, "only these targets")->delimiter(',');
  command->add_option("--family", options->families, "only these families")->delimiter(',');
  command->add_flag("--each", options->each, "a line for each candidate");
  command->callback([options] { Run(*options); });
}

}  // namespace trit
