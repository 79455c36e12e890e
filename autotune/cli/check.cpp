// tritforge check CANDIDATE|all: candidates through the differential runner of the tests.
#include <cstdio>
#include <memory>
#include <random>

#include "autotune/cli/command.h"
#include "generator/kernel.h"
#include "generator/library/plan.h"
#include "targets/base/error.h"
#include "targets/features.h"
#include "tests/kit/check_library.h"

namespace trit {
namespace {

struct Options {
  std::string candidate, isa;
  int random = 0, sweep = 1;
  uint64_t seed = 1;
};

// Returns the number of faults.
size_t CheckOne(const Candidate& candidate, const Options& options) {
  kit::CheckReport report;
  try {
    const JitKernel jit(candidate);
    kit::CheckOptions check;
    check.seed = options.seed;
    check.sweep = options.sweep;
    check.isolate = false;
    kit::CheckLayout(*jit.kernel().layout, check, &report);
    kit::CheckKernel(jit.kernel(), check, &report);
  } catch (const Error& e) {
    report.faults.push_back(e.what());
  }
  std::printf("%s  %s (%lld products)\n", report.ok() ? "exact" : "FAULT", candidate.Text().c_str(),
              static_cast<long long>(report.products));
  for (const std::string& fault : report.faults) std::printf("       %s\n", fault.c_str());
  std::fflush(stdout);
  return report.faults.size();
}

void Run(const Options& options) {
  std::vector<Candidate> candidates;
  if (options.candidate != "all") {
    candidates.push_back(ReadCandidate(options.candidate));
    if (!HostFeatures().CanRun(FindTarget(candidates[0].target))) {
      throw Error(Join("this CPU cannot run kernels of ", candidates[0].target));
    }
  } else {
    std::mt19937_64 rng(options.seed);
    for (const Target& target : AllTargets()) {
      if (target.arch != HostArch() || !HostFeatures().CanRun(target)) continue;
      if (!options.isa.empty() && options.isa != target.key) continue;
      if (HasDefaultRows(target)) {
        for (const Candidate& c : PlanLibrary(target, DefaultRows(target)).kernels) {
          candidates.push_back(c);
        }
      }
      for (const Family* family : AllFamilies()) {
        if (!family->supports(target)) continue;
        const Space space = family->space(target);
        for (int i = 0; i < options.random; ++i) candidates.push_back(space.Random(rng));
      }
    }
    if (candidates.empty()) throw Error(Join("no candidates to check for \"", options.isa, "\""));
  }
  size_t faults = 0;
  for (const Candidate& c : candidates) faults += CheckOne(c, options) != 0;
  std::printf("%zu candidates, %zu with faults\n", candidates.size(), faults);
  if (faults) throw Error(Join(faults, " candidates are not exact"));
}

}  // namespace

void AddCheck(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("check", "Holds kernels against the oracle with adversarial inputs");
  command
      ->add_option("candidate", options->candidate,
                   "a candidate's text, or \"all\": the shipped ones this CPU can run")
      ->required();
  command->add_option("--isa", options->isa, "with all: only this target");
  command->add_option("--random", options->random, "with all: random points of each space too")
      ->check(CLI::Range(0, 100000));
  command->add_option("--seed", options->seed, "of random points and inputs");
  command->add_option("--sweep", options->sweep, "1 = short, 8 and more = long")
      ->check(CLI::Range(1, 1000));
  command->callback([options] { Run(*options); });
}

}  // namespace trit
