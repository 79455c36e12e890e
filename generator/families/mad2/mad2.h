// What mad2's Halide stage and its stages in C share.
#pragma once

#include "generator/family.h"

namespace trit {

// `width` columns side by side: 4, or 8 for matrix instructions (mad2.c has the drawing).
LayoutSpec Mad2Layout(int rows, int k, int width = 4);

// bodies/scalable.c: vectors whose length is known only when the code runs.
inline constexpr const char* kMad2Scalable = "mad2_scalable";
Space ScalableMad2Space(const Target& target);
KernelParts BuildScalableMad2(const Candidate& candidate);

// bodies/tile.c: matrix instructions (dot=matrix).
inline constexpr const char* kMad2Tile = "mad2_tile";
KernelParts BuildTileMad2(const Candidate& candidate);

}  // namespace trit
