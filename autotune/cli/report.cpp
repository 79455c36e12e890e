// tritforge report: pages about tuning runs.
#include <cstdio>

#include "autotune/cli/command.h"
#include "autotune/records/database.h"
#include "autotune/records/paths.h"
#include "autotune/registry.h"
#include "autotune/report/tuning_page.h"
#include "runtime/tuned/tuned_library.h"
#include "targets/base/error.h"

namespace trit {
namespace {

struct Options {
  std::string out = "tuning.html", db, cache;
  bool tuning = false;
};

void Report(const Options& o) {
  const std::string folder = o.cache.empty() ? TunedFolder() : o.cache;
  const std::string manifest = ReadWholeFile(folder + "/manifest.json");
  const Database database(o.db.empty() ? DefaultDatabasePath() : o.db, ProgramSignature(),
                          /*writable=*/false);
  std::vector<Record> here;
  for (const Record& r : database.records()) {
    if (r.host_key == ThisHost().Key() && r.build == ProgramBuild()) here.push_back(r);
  }
  WriteFileAtomically(o.out, TuningPage(manifest, here));
  std::printf("%s written from %zu records\n", o.out.c_str(), here.size());
}

}  // namespace

void AddReport(CLI::App& program) {
  auto o = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("report", "A page about the last tuning run");
  command->add_flag("--tuning", o->tuning, "decisions, convergence, landscape, families")
      ->required();
  command->add_option("-o,--output", o->out)->capture_default_str();
  command->add_option("--db", o->db, "database file (default: the user's, or $TRITFORGE_DB)");
  command->add_option("--cache", o->cache, "folder of the tuned library (default: the user's)");
  command->callback([o] { Report(*o); });
}

}  // namespace trit
