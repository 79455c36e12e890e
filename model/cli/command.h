// A command of `trit`: one file model/cli/<name>.cpp that defines its Setup function, and one line
// in commands.inc. Setup adds options to the subcommand and gives it a callback; the callback
// returns the exit status through `exit_code` (0 when untouched). A trit::Error that leaves it is
// printed to stderr and ends the program with 1.
#pragma once

#include <CLI/CLI.hpp>

namespace trit::cli {

#define TRIT_COMMAND(name, setup, help) void setup(CLI::App& app, int& exit_code);
#include "model/cli/commands.inc"
#undef TRIT_COMMAND

}  // namespace trit::cli
