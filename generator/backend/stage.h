// A kernel's Halide stage -> LLVM 14 bitcode, in memory.
#pragma once

#include <string>

#include "generator/family.h"

namespace trit {

struct StageCode {
  std::string bitcode;
  int selected = 0;     // micro-ops the selection pass put in
  double lower_ms = 0;  // of the time it took, Halide's lowering
};

// Builds, lowers and compiles the stage `trit_stage` of a canonical candidate. A schedule that
// Halide refuses, and a lookup that found no micro-op, are a trit::Error with the candidate's text.
StageCode CompileStage(const Candidate& candidate, const Target& target, KernelParts* parts);

// Runs `build`, turning everything Halide throws into trit::Error with the candidate's text.
KernelParts BuildParts(const Candidate& candidate, const Target& target);

// "x86-64-linux-...": what kernels are lowered for. No runtime, no asserts, no bounds queries.
std::string HalideTargetText(const Target& target);

// The Halide statement after lowering, for people.
std::string LoweredText(const Candidate& candidate);

}  // namespace trit
