// What a kernel's busiest loop costs by LLVM's scheduling models, for machines that are not here:
// instructions and cycles a weight from the assembly and llvm-mca. Modelled, never measured:
// caches, memory and branches are not in it.
#pragma once

#include <string>
#include <vector>

#include "schedules/candidate.h"

namespace trit {

struct StaticCost {
  int instructions = 0;  // of the busiest innermost loop
  double products = 0;   // weights times tokens that one pass of it multiplies; SVE at 128 bits
  double cycles = 0;     // of one pass, steady state
  double CyclesPerProduct() const { return cycles / products; }
};

// Throws trit::Error when the loop holds no instruction whose products are known, or when
// llvm-mca-19 cannot be run or does not know the CPU.
StaticCost CostOf(const Candidate& candidate, const std::string& cpu);

// The table of results/tables/arm_cycles.md: every family on every AArch64 target, on every CPU
// model that has the target's instructions, beside the 2-bit sdot kernel.
std::string ArmCyclesTable();

// The kernels of that table.
std::vector<Candidate> ArmCyclesCandidates();

}  // namespace trit
