// trit: the lean runtime's program. Data goes to stdout, messages to stderr; exit status 0 means
// done, 1 a fault that a sentence explains, 2 a command line that makes no sense.
#include <cstdio>
#include <exception>
#include <new>

#include "model/cli/command.h"

int main(int argc, char** argv) {
  CLI::App app{"trit runs BitNet b1.58 models with exact ternary kernels.", "trit"};
  app.set_version_flag("--version", "trit " TRIT_VERSION);
  app.require_subcommand(1);
  int exit_code = 0;
#define TRIT_COMMAND(name, setup, help) \
  trit::cli::setup(*app.add_subcommand(name, help), exit_code);
#include "model/cli/commands.inc"
#undef TRIT_COMMAND
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int status = app.exit(e);  // prints help, version or the fault
    return status == 0 ? 0 : 2;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "trit: the system has no memory left\n");
    return 1;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "trit: %s\n", e.what());
    return 1;
  }
  return exit_code;
}
