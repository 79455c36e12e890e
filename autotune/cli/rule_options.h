// --threshold and --alpha: what a comparison calls slower, for every command that compares.
#pragma once

#include "autotune/cli/command.h"
#include "autotune/compare/compare.h"

namespace trit {

// `rules` outlives the command.
void AddRuleOptions(CLI::App* command, CompareRules* rules);

}  // namespace trit
