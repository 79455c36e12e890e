#include "autotune/cli/rule_options.h"

namespace trit {

void AddRuleOptions(CLI::App* command, CompareRules* rules) {
  command->add_option("--threshold", rules->threshold, "what counts as slower: 0.02 = 2 %")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str();
  command->add_option("--alpha", rules->alpha, "chance of a false alarm, all workloads together")
      ->check(CLI::Range(1e-9, 0.5))
      ->capture_default_str();
}

}  // namespace trit
