// tritforge gen: kernel libraries with header, manifest, CMake package and example.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>

#include "autotune/cli/command.h"
#include "autotune/cli/shapes.h"
#include "generator/library/write.h"
#include "targets/base/error.h"

namespace trit {
namespace {

struct Options {
  std::vector<std::string> isa;
  std::string shapes, folder, rows;
  std::vector<int32_t> m;
};

std::string ReadText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(Join("cannot read ", path));
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void Run(const Options& options) {
  std::vector<ExactShape> shapes;
  for (const Shape& s : ParseShapes(options.shapes)) shapes.push_back({s.n, s.k});
  std::vector<TunedRow> extra;
  if (!options.rows.empty()) extra = ParseTuned(ReadText(options.rows), options.rows);
  for (const TunedRow& row : extra) {
    if (std::find(options.isa.begin(), options.isa.end(), row.candidate.target) ==
        options.isa.end()) {
      throw Error(Join(options.rows, " has a row for ", row.candidate.target,
                       ", which --isa does not name"));
    }
  }
  std::vector<BuiltLibrary> libraries;
  for (const std::string& key : options.isa) {
    const Target& target = FindTarget(key);
    std::vector<TunedRow> rows;
    for (const TunedRow& row : extra) {
      if (row.candidate.target == key) rows.push_back(row);
    }
    for (TunedRow& row : DefaultRows(target)) rows.push_back(std::move(row));
    libraries.push_back(BuildLibrary(PlanLibrary(target, rows, shapes, options.m)));
    const BuiltLibrary& built = libraries.back();
    uint64_t bytes = 0;
    for (const ObjectPiece& piece : built.objects) bytes += piece.bytes.size();
    std::printf("%-12s %zu kernels, %zu choices, %llu KB of objects\n", target.key,
                built.manifest["kernels"].size(), built.manifest["choices"].size(),
                static_cast<unsigned long long>(bytes / 1024));
  }
  WriteLibraries(libraries, options.folder);
  std::printf("written to %s\n", options.folder.c_str());
}

}  // namespace

void AddGen(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("gen", "Writes kernel libraries for C programs");
  command->add_option("--isa", options->isa, "targets, e.g. avx2,avx512vnni")
      ->delimiter(',')
      ->required();
  command->add_option("--shapes", options->shapes,
                      "NxK,... or 2b4t: shapes with rows of their own");
  command->add_option("--m", options->m, "token counts with rows of their own")
      ->delimiter(',')
      ->check(CLI::Range(1, INT32_MAX));
  command->add_option("--rows", options->rows,
                      "choice rows put first (format of schedules/tuned), e.g. from a tuner");
  command->add_option("-o,--output", options->folder, "folder to write")->required();
  command->callback([options] { Run(*options); });
}

}  // namespace trit
