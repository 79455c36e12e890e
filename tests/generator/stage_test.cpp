// What a family may get wrong becomes an error with the candidate's text.
#include "generator/backend/stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "generator/kernel.h"
#include "generator/library/plan.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Some shipped candidate of this architecture, to be spoilt.
Candidate Some() {
  for (const Target& t : AllTargets()) {
    if (t.arch == HostArch() && HasDefaultRows(t)) {
      return Canonical(DefaultRows(t)[0].candidate);
    }
  }
  throw Error("no target has default schedules");
}

struct Planted {
  Candidate candidate = Some();
  const Target& target = FindTarget(candidate.target);
  KernelParts parts = BuildParts(candidate, target);

  // y(...) = value of (first row dimension), in the family's dimensions.
  std::vector<Halide::Var> Vars() const {
    std::vector<Halide::Var> vars;
    for (size_t i = 0; i < parts.y_inner.size() + 3; ++i) vars.push_back(Halide::Var());
    return vars;
  }
  std::string Refusal() {
    try {
      CompileStage(candidate, target, &parts);
    } catch (const Error& e) {
      return e.what();
    }
    return "accepted";
  }
};

TEST(Stage, BadScheduleIsAnErrorWithTheCandidate) {
  Planted p;
  const auto vars = p.Vars();
  Halide::Func inner("inner"), y("y");
  inner(vars) = Halide::cast<int>(vars[0]);
  y(vars) = inner(vars) + 1;
  inner.compute_at(y, Halide::Var("no_such_loop"));
  p.parts.y = y;
  EXPECT_THAT(p.Refusal(), AllOf(HasSubstr(p.candidate.Text()), HasSubstr("no_such_loop")));
}

TEST(Stage, LookupWithoutMicroOpFailsTheBuild) {
  Planted p;
  const auto vars = p.Vars();
  Halide::Func table("table"), y("y");
  Halide::Var i("i");
  table(i) = Halide::cast<int16_t>(i * 3);
  // 37 entries of int32: no target looks those up in registers.
  Halide::Func wide("wide");
  wide(i) = Halide::cast<int>(table(i)) * 70000;
  y(vars) = wide((vars[0] * 7 + 3) % 37);
  wide.compute_root().bound(i, 0, 37);
  y.vectorize(vars[0], 4);
  p.parts.y = y;
  EXPECT_THAT(p.Refusal(), AllOf(HasSubstr(p.candidate.Text()), HasSubstr("no micro-op")));
}

TEST(Stage, CallsOutOfTheKernelFailTheBuild) {
  Planted p;
  const auto vars = p.Vars();
  Halide::Func y("y");
  y(vars) = Halide::cast<int>(Halide::Internal::Call::make(Halide::Int(32), "some_library_function",
                                                           {Halide::Expr(vars[0])},
                                                           Halide::Internal::Call::Extern));
  p.parts.y = y;
  const StageCode stage = CompileStage(p.candidate, p.target, &p.parts);
  EXPECT_FALSE(stage.bitcode.empty());
  std::string refusal = "accepted";
  try {
    CompileMatmulWith(p.candidate, p.target, p.parts, stage);
  } catch (const Error& e) {
    refusal = e.what();
  }
  EXPECT_THAT(refusal, AllOf(HasSubstr(p.candidate.Text()), HasSubstr("some_library_function")));
}

TEST(Stage, PartsThatContradictThemselvesAreNamed) {
  BlockSpec spec;
  spec.id = "odd-r3-k5.v1";
  spec.code = "mad2";
  spec.type = Halide::UInt(8);
  spec.inner = {5, 3};
  spec.granule = 3;
  spec.k_step = 5;
  const auto refusal = [](const BlockSpec& s) -> std::string {
    try {
      s.Check();
    } catch (const Error& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal(spec), AllOf(HasSubstr("odd-r3-k5.v1"), HasSubstr("15 bytes")));
  spec.inner = {64};
  EXPECT_EQ(refusal(spec), "accepted");
  spec.halves = true;
  EXPECT_THAT(refusal(spec), HasSubstr("halves"));
  spec.halves = false;
  spec.granule = 1 << 15;
  EXPECT_THAT(refusal(spec), HasSubstr("more than"));
}

}  // namespace
}  // namespace trit
