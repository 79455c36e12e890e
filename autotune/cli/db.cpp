// tritforge db: looks into, carries and cleans the database of records.
#include <cstdio>
#include <ctime>
#include <map>

#include "autotune/cli/command.h"
#include "autotune/cli/shapes.h"
#include "autotune/records/exchange.h"
#include "autotune/records/lookup.h"
#include "autotune/records/paths.h"
#include "autotune/registry.h"
#include "autotune/tune/session.h"
#include "targets/base/error.h"
#include "targets/features.h"
#include "targets/target.h"

namespace trit {
namespace {

struct Options {
  std::string db;  // "" = the user's
  std::string file, out, filter;
  std::vector<std::string> inputs;
  std::string shapes = "2b4t", mode = "cold";
  int32_t m = 1;
  int threads = 1;
  bool all_hosts = false;
  int older_than_days = 0;
  bool failures = false, foreign = false;
};

std::string Path(const Options& o) {
  return o.db.empty() ? DefaultDatabasePath() : o.db;
}

void PrintFaults(const Database& database) {
  for (const auto& damage : database.faults().damaged) {
    std::printf("%s: line %d is left out: %s\n", database.path().c_str(), damage.line,
                damage.why.c_str());
  }
  if (database.faults().torn_tail) {
    std::printf("%s: the last line is torn (its writer died); the next append removes it\n",
                database.path().c_str());
  }
  if (database.faults().other_signature > 0) {
    std::printf("%s: %d records are of a program with other families or targets; kept, not used\n",
                database.path().c_str(), database.faults().other_signature);
  }
}

void List(const Options& o) {
  const Database database(Path(o), ProgramSignature(), /*writable=*/false);
  struct Group {
    int records = 0, failures = 0;
    const Record* best = nullptr;
  };
  std::map<std::string, Group> groups;
  for (const Record& r : database.records()) {
    if (!o.filter.empty() && RecordToJson(r).find(o.filter) == std::string::npos) continue;
    Group& g = groups[Join(r.workload.Text(), " threads=", r.threads, " ", r.mode, " on ",
                           r.host.cpu, " x", r.host.cores)];
    ++g.records;
    g.failures += r.status != CheckStatus::kOk;
    if (r.status == CheckStatus::kOk && (!g.best || r.MedianNs() < g.best->MedianNs())) g.best = &r;
  }
  for (const auto& [name, g] : groups) {
    std::printf("%s: %d records, %d failures", name.c_str(), g.records, g.failures);
    if (g.best) {
      std::printf(", best %.1f us (%.0f %% of the roof): %s", g.best->MedianNs() / 1e3,
                  100 * g.best->FractionOfRoof(), g.best->candidate.c_str());
    }
    std::printf("\n");
  }
  std::printf("%zu records in %s\n", database.records().size(), database.path().c_str());
  PrintFaults(database);
}

void Show(const Options& o) {
  const Database database(Path(o), ProgramSignature(), /*writable=*/false);
  int shown = 0;
  for (const Record& r : database.records()) {
    const std::string json = RecordToJson(r);
    if (!o.filter.empty() && json.find(o.filter) == std::string::npos) continue;
    std::printf("%s\n", json.c_str());
    ++shown;
  }
  if (shown == 0) {
    throw Error(Join("No record of ", database.path(), " holds \"", o.filter, "\"; there are ",
                     database.records().size(), "."));
  }
}

// The ladder's answer: what this machine would be advised to use, and who says so.
void Best(const Options& o) {
  const Database database(Path(o), ProgramSignature(), /*writable=*/false);
  LookupQuery query;
  query.mode = o.mode;
  query.threads = o.threads;
  query.host = ThisHost();
  for (const Target& target : AllTargets()) {
    if (HostFeatures().CanRun(target)) query.targets.push_back(target.key);
  }
  for (const Shape& shape : ParseShapes(o.shapes)) {
    query.workload = {"matmul", "", o.m, shape.n, shape.k};
    const LookupAnswer answer = Lookup(database.records(), query);
    std::printf("%s threads=%d %s: ", query.workload.Text().c_str(), o.threads, o.mode.c_str());
    if (answer.rung == Rung::kDefault) {
      std::printf("nothing was measured; the shipped kernel decides (rung default)\n");
      continue;
    }
    std::printf("%s, %.1f us, %d records of %s (rung %s)\n",
                Contender{answer.candidate, static_cast<int32_t>(answer.n_per_task),
                          static_cast<int32_t>(answer.m_per_task)}
                    .Text()
                    .c_str(),
                answer.median_ns / 1e3, answer.records, answer.newest->host.cpu.c_str(),
                RungName(answer.rung));
  }
}

void Export(const Options& o) {
  const Database database(Path(o), ProgramSignature(), /*writable=*/false);
  const std::string key = ThisHost().Key();
  const int count = ExportRecords(
      database, o.file, [&](const Record& r) { return o.all_hosts || r.host_key == key; });
  std::printf("%d records written to %s\n", count, o.file.c_str());
}

void Import(const Options& o) {
  Database database(Path(o), ProgramSignature());
  const ImportResult result = ImportRecords(&database, o.file);
  std::printf("%d records added, %d were known\n", result.added, result.known);
}

void Verify(const Options& o) {
  const Database database(Path(o), ProgramSignature(), /*writable=*/false);
  std::printf("%s: %d records\n", database.path().c_str(), database.total_records());
  PrintFaults(database);
  if (!database.faults().damaged.empty()) {
    throw Error(Join(database.path(), ": ", database.faults().damaged.size(),
                     " damaged lines; \"tritforge db prune\" drops them."));
  }
}

void Prune(const Options& o) {
  Database database(Path(o), ProgramSignature());
  const int64_t oldest =
      o.older_than_days > 0 ? static_cast<int64_t>(time(nullptr)) - o.older_than_days * 86400L : 0;
  const PruneResult result = PruneRecords(&database, [&](const Record& r) {
    return r.time_s < oldest || (o.failures && r.status != CheckStatus::kOk) ||
           (o.foreign && r.signature != ProgramSignature());
  });
  std::printf("%d records kept, %d dropped\n", result.kept, result.dropped);
}

void Merge(const Options& o) {
  const std::string out = o.out.empty() ? Path(o) : o.out;
  const MergeResult result = MergeFiles(o.inputs, out);
  std::printf("%s: %d records (%d were there more than once, %d damaged lines left out)\n",
              out.c_str(), result.records, result.duplicates, result.damaged);
}

}  // namespace

void AddDb(CLI::App& program) {
  auto o = std::make_shared<Options>();
  CLI::App* db = program.add_subcommand("db", "Looks into, carries and cleans the records");
  db->add_option("--db", o->db, "database file (default: the user's, or $TRITFORGE_DB)");
  db->require_subcommand(1);

  CLI::App* list = db->add_subcommand("list", "What was measured, and the best of each workload");
  list->add_option("--filter", o->filter, "only records whose JSON holds this text");
  list->callback([o] { List(*o); });

  CLI::App* show = db->add_subcommand("show", "Whole records as JSON lines");
  show->add_option("filter", o->filter, "only records whose JSON holds this text");
  show->callback([o] { Show(*o); });

  CLI::App* best = db->add_subcommand(
      "best", "What the records advise: this host's, else its microarchitecture's, ISA's, any");
  best->add_option("shapes", o->shapes, "NxK,... or 2b4t")->capture_default_str();
  best->add_option("--tokens", o->m)->capture_default_str()->check(CLI::PositiveNumber);
  best->add_option("--threads", o->threads)->capture_default_str()->check(CLI::Range(1, 1024));
  best->add_option("--mode", o->mode, "cold or hot")->capture_default_str();
  best->callback([o] { Best(*o); });

  CLI::App* out = db->add_subcommand("export", "Writes this host's records to a file");
  out->add_option("file", o->file)->required();
  out->add_flag("--all-hosts", o->all_hosts, "records of other hosts too");
  out->callback([o] { Export(*o); });

  CLI::App* in = db->add_subcommand("import", "Adds an export's records, all or nothing");
  in->add_option("file", o->file)->required();
  in->callback([o] { Import(*o); });

  CLI::App* verify = db->add_subcommand("verify", "Checks every line; fails on damage");
  verify->callback([o] { Verify(*o); });

  CLI::App* prune = db->add_subcommand("prune", "Drops damaged lines and what the options say");
  prune->add_option("--older-than-days", o->older_than_days)->check(CLI::PositiveNumber);
  prune->add_flag("--failures", o->failures, "records of failed candidates");
  prune->add_flag("--foreign", o->foreign, "records of programs with other families or targets");
  prune->callback([o] { Prune(*o); });

  CLI::App* merge = db->add_subcommand("merge", "Database files and exports into one database");
  merge->add_option("inputs", o->inputs)->required();
  merge->add_option("-o,--out", o->out, "default: the user's database");
  merge->footer(
      "No record is ever changed. The same line on both sides is kept once; different "
      "measurements\n"
      "of the same thing are all kept and pooled in answers; a wrong sum on any side bans its\n"
      "candidate from every answer; a crash or hang bans nothing elsewhere; records of programs\n"
      "with other families or targets are kept unused. Order and repetition do not matter.");
  merge->callback([o] { Merge(*o); });
  db->footer(
      "Examples:\n"
      "  tritforge db list                                what was measured, the best of each\n"
      "  tritforge db export wisdom; scp wisdom twin:     then on the twin:\n"
      "  tritforge db import wisdom                       all of it or nothing\n"
      "  tritforge db merge node*.jsonl -o fleet.jsonl    many machines' files in one\n"
      "  tritforge db best 2560x2560 --tokens 1 --threads 2");
}

}  // namespace trit
