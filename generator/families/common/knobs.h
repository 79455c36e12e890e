// Parameters that families share: how LLVM orders the instructions, and how weights are fetched
// ahead.
#pragma once

#include <vector>

#include "generator/family.h"

namespace trit {

// tune      the CPU whose scheduling model LLVM uses; "target" is what the target's folder names.
//           lut3w's inner loop makes 1.27 lookups' worth of cycles per lookup as icelake-server
//           orders it and 1.18 as znver4 does (Zen 4, everything in the first cache)
// prefetch  0, or steps of a K block the weights are fetched ahead
// hint      the cache a fetched line goes to; "nta": used once
void AddKnobs(const Target& target, const std::vector<int>& prefetch_steps, Space* space);

// `update` is the stage that reads the weights `w`, `step` its loop over a K block's steps.
void ApplyKnobs(const Candidate& candidate, const Halide::ImageParam& w, const Halide::RVar& step,
                Halide::Stage update, KernelParts* parts);

}  // namespace trit
