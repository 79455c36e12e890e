// tritforge compare A B: did something get slower? Exit code 0: no; 1: yes; 2: it cannot be said.
#include "autotune/compare/compare.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "autotune/cli/command.h"
#include "autotune/cli/rule_options.h"
#include "autotune/cli/shapes.h"
#include "autotune/compare/live.h"
#include "autotune/compare/measurements.h"
#include "runtime/cpu_count.h"
#include "runtime/records/journal.h"
#include "targets/base/error.h"

namespace trit {
namespace {

struct Options {
  std::string a, b, shapes = "2b4t", format = "text", out;
  std::vector<int32_t> m = {1, 128};
  std::vector<int> threads;
  double budget_s = 60, precision = 0.005;
  CompareRules rules;
};

bool IsElf(const std::string& path) {
  if (std::filesystem::is_directory(path)) return false;  // of records
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  if (!file.read(magic, 4)) throw Error(Join(path, ": cannot be read."));
  return magic[0] == 0x7f && magic[1] == 'E' && magic[2] == 'L' && magic[3] == 'F';
}

LiveSide SideOf(const std::string& path) {
  const std::string full = std::filesystem::absolute(path).string();
  if (path.find(".so") != std::string::npos) {
    return {{std::filesystem::read_symlink("/proc/self/exe").string(), "measure-candidate"}, full};
  }
  return {{full, "measure-candidate"}, ""};
}

int Compare(const Options& o) {
  const bool live = IsElf(o.a);
  if (live != IsElf(o.b)) {
    throw Error("Compare two libraries or programs, or two files of records, not one of each.");
  }
  SampleSet a, b;
  std::vector<std::string> faults;
  if (live) {
    LivePlan plan;
    plan.a = SideOf(o.a);
    plan.b = SideOf(o.b);
    plan.budget_s = o.budget_s;
    plan.precision = o.precision;
    plan.rules = o.rules;
    const std::vector<int> threads =
        o.threads.empty() ? std::vector<int>{CountCpus().default_threads} : o.threads;
    for (const Shape& s : ParseShapes(o.shapes)) {
      for (const int32_t m : o.m) {
        for (const int t : threads) plan.items.push_back({m, s.n, s.k, t});
      }
    }
    LiveResult result = MeasureLive(plan, [](const std::string& name) {
      std::fprintf(stderr, "measuring %s\n", name.c_str());
    });
    a = std::move(result.a), b = std::move(result.b), faults = std::move(result.faults);
  } else {
    a = BestOfEach(ReadMeasurements(o.a)), b = BestOfEach(ReadMeasurements(o.b));
  }
  const CompareResult result = CompareSets(a, b, live, o.rules);
  const std::string text = o.format == "md"    ? CompareMarkdown(result, o.rules)
                           : o.format == "csv" ? CompareCsv(result)
                                               : CompareText(result, o.rules);
  if (o.out.empty()) {
    std::printf("%s", text.c_str());
  } else {
    WriteFileAtomically(o.out, text);
  }
  for (const std::string& fault : faults) std::fprintf(stderr, "not measured: %s\n", fault.c_str());
  if (result.Count(Change::kSlower) > 0) return 1;
  if (result.workloads.empty() || !faults.empty()) {
    throw Error("Not every workload could be compared.");
  }
  return 0;
}

}  // namespace

void AddCompare(CLI::App& program) {
  auto o = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "compare",
      "Did B get slower than A? Libraries (.so) and tritforge programs are measured now, "
      "files or folders of records, and Google Benchmark's JSON, are read. Exit code 1: slower, 2: "
      "cannot be said");
  command->add_option("A", o->a)->required()->check(CLI::ExistingPath);
  command->add_option("B", o->b)->required()->check(CLI::ExistingPath);
  command->add_option("--shapes", o->shapes, "NxK,... or 2b4t")->capture_default_str();
  command->add_option("--tokens", o->m)->delimiter(',')->capture_default_str();
  command->add_option("--threads", o->threads, "default: one a core")->delimiter(',');
  command->add_option("--budget", o->budget_s, "seconds")->check(CLI::PositiveNumber);
  command->add_option("--precision", o->precision, "half width of the ratio's interval")
      ->check(CLI::PositiveNumber);
  AddRuleOptions(command, &o->rules);
  command->add_option("--format", o->format)->check(CLI::IsMember({"text", "md", "csv"}));
  command->add_option("-o,--output", o->out, "a file instead of the terminal");
  command->callback([o] {
    int code = 2;
    try {
      code = Compare(*o);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "tritforge compare: %s\n", e.what());
    }
    std::fflush(stdout);
    if (code != 0) std::exit(code);
  });
}

}  // namespace trit
