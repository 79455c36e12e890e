// A command of tritforge: one file that defines a function of this shape, one line in commands.inc.
// The function adds a subcommand and sets its callback; the callback throws trit::Error on failure.
#pragma once

#include <CLI/CLI.hpp>

namespace trit {

using AddCommand = void (*)(CLI::App& program);

}  // namespace trit
