// Candidates through the differential runner: the shipped defaults of every target this CPU can
// run, and random points of every space (fixed seeds).
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "generator/kernel.h"
#include "generator/library/plan.h"
#include "targets/base/error.h"
#include "targets/features.h"
#include "tests/kit/check_library.h"

namespace trit {
namespace {

// Points of each space on each target.
#ifdef TRIT_FULL
constexpr int kRandomPoints = 80;
#else
constexpr int kRandomPoints = 5;
#endif

std::vector<const Target*> Runnable() {
  std::vector<const Target*> out;
  for (const Target& t : AllTargets()) {
    if (t.arch == HostArch() && HostFeatures().CanRun(t)) out.push_back(&t);
  }
  return out;
}

// Checks one candidate; layouts once each.
void Check(const Candidate& candidate, std::set<std::string>* layouts) {
  SCOPED_TRACE(candidate.Text());
  try {
    const JitKernel jit(candidate);
    for (const std::string& f : jit.features()) {
      if (!HostFeatures().Has(f)) return;  // a toggle beyond the target that this CPU lacks
    }
    kit::CheckReport report;
    kit::CheckOptions options;
    options.isolate = false;
    if (layouts->insert(jit.kernel().layout->id).second) {
      kit::CheckLayout(*jit.kernel().layout, options, &report);
    }
    kit::CheckKernel(jit.kernel(), options, &report);
    EXPECT_GT(report.products, 0);
    for (const std::string& fault : report.faults) ADD_FAILURE() << fault;
  } catch (const Error& e) {
    ADD_FAILURE() << e.what();
  }
}

TEST(Sweep, DefaultsAreExact) {
  std::set<std::string> layouts;
  int checked = 0;
  for (const Target* target : Runnable()) {
    if (!HasDefaultRows(*target)) continue;
    for (const Candidate& c : PlanLibrary(*target, DefaultRows(*target)).kernels) {
      Check(c, &layouts);
      ++checked;
    }
  }
  EXPECT_GT(checked, 0);
}

TEST(Sweep, RandomCandidatesAreExact) {
  std::mt19937_64 rng(20261121);
  std::set<std::string> layouts, seen;
  for (const Family* family : AllFamilies()) {
    for (const Target* target : Runnable()) {
      if (!family->supports(*target)) continue;
      const Space space = family->space(*target);
      for (int i = 0; i < kRandomPoints; ++i) {
        const Candidate c = space.Random(rng);
        if (seen.insert(c.Text()).second) Check(c, &layouts);
      }
    }
  }
  std::printf("%zu candidates, %zu layouts\n", seen.size(), layouts.size());
  EXPECT_GT(seen.size(), 0u);
}

}  // namespace
}  // namespace trit
