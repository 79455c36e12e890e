// tritforge asm CANDIDATE: the assembly of a candidate and what its hot loops hold.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "autotune/cli/command.h"
#include "generator/asm_report.h"
#include "generator/backend/stage.h"
#include "generator/kernel.h"

namespace trit {
namespace {

// From text to a callable kernel, phase by phase.
void PrintTimes(const Candidate& candidate, int times) {
  setenv("TRITFORGE_CACHE", "off", 1);
  const std::string text = candidate.Text();
  { const JitKernel warm(ReadCandidate(text)); }  // its layout and form are shared with the others
  std::vector<CompileTimes> all;
  for (int i = 0; i < times; ++i) {
    const JitKernel jit(ReadCandidate(text));
    all.push_back(LastCompileTimes());
  }
  const auto median = [&](auto&& phase) {
    std::vector<double> values;
    for (const CompileTimes& t : all) values.push_back(phase(t));
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  std::printf(
      "median of %d in ms: family %.1f, Halide %.1f, link %.1f, optimise %.1f, emit %.1f, "
      "load %.1f, all %.1f\n",
      times, median([](auto& t) { return t.build; }), median([](auto& t) { return t.halide; }),
      median([](auto& t) { return t.link; }), median([](auto& t) { return t.optimise; }),
      median([](auto& t) { return t.emit; }), median([](auto& t) { return t.load; }),
      median([](auto& t) { return t.Total(); }));
}

}  // namespace

void AddAsm(CLI::App& program) {
  struct Options {
    std::string candidate;
    bool summary = false, lowered = false;
    int times = 0;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("asm", "Prints the assembly of a candidate and counts its loops");
  command->add_option("candidate", options->candidate, "e.g. \"mad2 avx512vnni dot=quad ...\"")
      ->required();
  command->add_flag("--summary", options->summary, "only the counts of the innermost loops");
  command->add_flag("--stmt", options->lowered, "Halide's statement instead of assembly");
  command->add_option("--times", options->times, "compile so often without cache, print medians")
      ->check(CLI::Range(1, 1000));
  command->callback([options] {
    const Candidate candidate = ReadCandidate(options->candidate);
    if (options->lowered) {
      std::fputs(LoweredText(candidate).c_str(), stdout);
      return;
    }
    if (options->times) {
      PrintTimes(candidate, options->times);
      return;
    }
    const std::string text = MatmulAssembly(candidate);
    if (!options->summary) std::fputs(text.c_str(), stdout);
    std::fputs(AsmReport(text).Text().c_str(), stdout);
  });
}

}  // namespace trit
