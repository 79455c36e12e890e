// tritforge: makes, inspects and measures kernels.
#include <cstdio>
#include <exception>

#include "autotune/cli/command.h"

namespace trit {
#define TRIT_COMMAND(function) void function(CLI::App& program);
#include "autotune/cli/commands.inc"
#undef TRIT_COMMAND
}  // namespace trit

int main(int argc, char** argv) {
  CLI::App program("Makes, tunes, inspects and measures exact ternary kernels", "tritforge");
  program.require_subcommand(1);
#define TRIT_COMMAND(function) trit::function(program);
#include "autotune/cli/commands.inc"
#undef TRIT_COMMAND
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return program.exit(e) == 0 ? 0 : 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tritforge: %s\n", e.what());
    return 1;
  }
  return 0;
}
