// lut5 at many tokens: the same packed bytes, re-coded to lut3w's words tile by tile.
#pragma once

#include "generator/family.h"

namespace trit {

KernelParts BuildLut5Rows(const LayoutSpec& layout, const Candidate& candidate,
                          const Target& target);

}  // namespace trit
