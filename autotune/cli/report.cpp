// tritforge report: what measurements say, as a page, as Markdown or as CSV; the page of a tuning
// run; the tables of a results folder.
#include "autotune/report/report.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "autotune/cli/command.h"
#include "autotune/cli/rule_options.h"
#include "autotune/records/database.h"
#include "autotune/records/paths.h"
#include "autotune/registry.h"
#include "autotune/report/tables.h"
#include "autotune/report/tuning_page.h"
#include "runtime/records/journal.h"
#include "runtime/tuned/tuned_library.h"
#include "targets/base/error.h"

namespace trit {
namespace {

struct Options {
  std::vector<std::string> inputs;
  std::string out, format, db, cache, results;
  bool tuning = false, check = false;
  CompareRules rules;
};

void TuningReport(const Options& o) {
  const std::string folder = o.cache.empty() ? TunedFolder() : o.cache;
  const std::string manifest = ReadWholeFile(folder + "/manifest.json");
  const Database database(o.db.empty() ? DefaultDatabasePath() : o.db, ProgramSignature(),
                          /*writable=*/false);
  std::vector<Record> here;
  for (const Record& r : database.records()) {
    if (r.host_key == ThisHost().Key() && r.build == ProgramBuild()) here.push_back(r);
  }
  const std::string out = o.out.empty() ? "tuning.html" : o.out;
  WriteFileAtomically(out, TuningPage(manifest, here));
  std::printf("%s written from %zu records\n", out.c_str(), here.size());
}

// Writes the tables, or with --check says which of them the records disagree with.
void Results(const Options& o) {
  std::string stale;
  for (const auto& [path, text] : ResultFiles(o.results)) {
    const bool same = std::filesystem::exists(path) && ReadWholeFile(path) == text;
    if (same) continue;
    if (o.check) {
      stale += " " + path;
    } else {
      WriteFileAtomically(path, text);
      std::printf("%s written\n", path.c_str());
    }
  }
  if (!stale.empty()) {
    throw Error(Join("These do not say what the records say:", stale,
                     ". Write them: tritforge report --results ", o.results));
  }
}

void Compare(const Options& o) {
  std::vector<ReportSide> sets;
  for (const std::string& path : o.inputs) {
    sets.push_back({std::filesystem::path(path).lexically_normal().filename().string(),
                    ReadMeasurements(path)});
    if (sets.back().label.empty()) sets.back().label = path;
  }
  const std::unique_ptr<Report> report = BuildReport(std::move(sets), o.rules);
  // A format's bare name as the output means the terminal.
  const bool bare = o.out == "md" || o.out == "csv" || o.out == "html";
  const std::string ending = std::filesystem::path(o.out).extension().string();
  const std::string format = !o.format.empty()                     ? o.format
                             : bare                                ? o.out
                             : ending == ".md" || ending == ".csv" ? ending.substr(1)
                                                                   : "html";
  const std::string text = format == "md"    ? ReportMarkdown(*report)
                           : format == "csv" ? ReportCsv(*report)
                                             : ReportPage(*report);
  if (bare) {
    std::printf("%s", text.c_str());
    return;
  }
  const std::string out = o.out.empty() ? "report." + format : o.out;
  WriteFileAtomically(out, text);
  std::printf("%s written from %zu records: %s\n", out.c_str(), report->all.size(),
              report->result.workloads.empty() ? "nothing to compare with"
                                               : SummaryText(report->result, o.rules).c_str());
}

void Run(const Options& o) {
  const int modes = o.tuning + !o.results.empty() + !o.inputs.empty();
  if (modes != 1) {
    throw Error(
        "Give files or folders of records, or --tuning, or --results FOLDER: one of the three.");
  }
  if (o.tuning) return TuningReport(o);
  if (!o.results.empty()) return Results(o);
  Compare(o);
}

}  // namespace

void AddReport(CLI::App& program) {
  auto o = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "report",
      "Pages and tables of measurements. Several files or folders (records of tritforge and trit, "
      "Google Benchmark's JSON): the last one against the one before it, all as history. One: its "
      "last build against the build before it");
  command->add_option("RECORDS", o->inputs, "files or folders, oldest first")
      ->check(CLI::ExistingPath);
  command->add_option("-o,--output", o->out,
                      "a file, or just html, md or csv for the terminal (default: report.html)");
  command->add_option("--format", o->format, "default: as the output's name ends")
      ->check(CLI::IsMember({"html", "md", "csv"}));
  AddRuleOptions(command, &o->rules);
  command->add_flag("--tuning", o->tuning,
                    "the last tuning run: decisions, convergence, landscape, families");
  command->add_option("--db", o->db,
                      "with --tuning: database (default: the user's, or $TRITFORGE_DB)");
  command->add_option("--cache", o->cache,
                      "with --tuning: folder of the tuned library (default: the user's)");
  command
      ->add_option("--results", o->results,
                   "write this folder's tables from its records, and the README's beside it")
      ->check(CLI::ExistingDirectory);
  command->add_flag("--check", o->check, "with --results: write nothing, fail when they differ");
  command->callback([o] { Run(*o); });
}

}  // namespace trit
