// tritforge asm CANDIDATE: the assembly of a candidate and what its hot loops hold.
#include <cstdio>
#include <memory>

#include "autotune/cli/command.h"
#include "generator/asm_report.h"
#include "generator/backend/stage.h"
#include "generator/kernel.h"

namespace trit {

void AddAsm(CLI::App& program) {
  struct Options {
    std::string candidate;
    bool summary = false, lowered = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command =
      program.add_subcommand("asm", "Prints the assembly of a candidate and counts its loops");
  command->add_option("candidate", options->candidate, "e.g. \"mad2 avx512vnni dot=quad ...\"")
      ->required();
  command->add_flag("--summary", options->summary, "only the counts of the innermost loops");
  command->add_flag("--stmt", options->lowered, "Halide's statement instead of assembly");
  command->callback([options] {
    const Candidate candidate = ReadCandidate(options->candidate);
    if (options->lowered) {
      std::fputs(LoweredText(candidate).c_str(), stdout);
      return;
    }
    const std::string text = MatmulAssembly(candidate);
    if (!options->summary) std::fputs(text.c_str(), stdout);
    std::fputs(AsmReport(text).Text().c_str(), stdout);
  });
}

}  // namespace trit
