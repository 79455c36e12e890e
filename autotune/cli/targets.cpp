// tritforge targets: the machines kernels exist for, and the families of each.
#include <cstdio>

#include "autotune/cli/command.h"
#include "generator/family.h"
#include "targets/target.h"

namespace trit {

void AddTargets(CLI::App& program) {
  CLI::App* command = program.add_subcommand("targets", "Lists targets and their kernel families");
  command->callback([] {
    for (const Target& target : AllTargets()) {
      std::printf("%-12s %s, rank %d: %s\n", target.key, target.arch, target.rank, target.title);
      std::printf("%-12s needs %s\n", "", target.features);
      std::string families;
      for (const Family* family : AllFamilies()) {
        if (family->supports(target)) families += std::string(" ") + family->name;
      }
      std::printf("%-12s families:%s\n", "", families.empty() ? " none" : families.c_str());
    }
  });
}

}  // namespace trit
