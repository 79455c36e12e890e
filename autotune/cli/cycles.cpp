// tritforge cycles: what the kernels of machines that are not here cost by LLVM's scheduling
// models.
#include <cstdio>
#include <memory>

#include "autotune/cli/command.h"
#include "generator/family.h"
#include "generator/library/write.h"
#include "generator/static_cost.h"

namespace trit {

void AddCycles(CLI::App& program) {
  struct Options {
    std::string candidate, cpu = "neoverse-n2", file;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "cycles", "Cycles a weight by llvm-mca: the table of the Arm kernels, or one candidate");
  command->add_option("candidate", options->candidate, "one candidate instead of the table");
  command->add_option("--cpu", options->cpu, "CPU model of the one candidate");
  command->add_option("-o,--output", options->file, "file for the table");
  command->callback([options] {
    if (!options->candidate.empty()) {
      const StaticCost cost = CostOf(ReadCandidate(options->candidate), options->cpu);
      std::printf("%d instructions, %.0f products, %.2f cycles: %.4f cycles a product on %s\n",
                  cost.instructions, cost.products, cost.cycles, cost.CyclesPerProduct(),
                  options->cpu.c_str());
    } else if (options->file.empty()) {
      std::fputs(ArmCyclesTable().c_str(), stdout);
    } else {
      WriteFileAtomically(options->file, ArmCyclesTable());
    }
  });
}

}  // namespace trit
