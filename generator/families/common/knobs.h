// Parameters that families share: how LLVM orders the instructions, and how weights are fetched
// ahead.
#pragma once

#include <vector>

#include "generator/family.h"

namespace trit {

// tune      the CPU whose scheduling model LLVM uses; "target" is what the target's folder names.
//           lut3w's inner loop makes 1.27 lookups' worth of cycles per lookup as icelake-server
//           orders it and 1.18 as znver4 does (Zen 4, everything in the first cache)
// prefetch  0, or steps of a K block the weights are fetched ahead; a block's steps reach into the
//           next granule. lut3w at many tokens: 1.10 of the dot product's peak without, 1.14 with
// hint      the cache a fetched line goes to; "nta": used once
void AddKnobs(const Target& target, const std::vector<int>& prefetch_steps, Space* space);

// What the candidate says of them, except the prefetch itself: families place that.
void ApplyKnobs(const Candidate& candidate, KernelParts* parts);

}  // namespace trit
