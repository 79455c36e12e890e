// A family's Func -> one function for the LLVM backends: Halide's own lowering passes, those of
// them that a kernel needs.
#pragma once

#include <Halide.h>

#include "generator/family.h"
#include "generator/select/select.h"

namespace trit {

// Appends `trit_stage`, with the arguments of entry/stage.h. Throws what Halide throws.
void LowerStage(const KernelParts& parts, const Target& target, Halide::Module* module,
                SelectionReport* report);

}  // namespace trit
