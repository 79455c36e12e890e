#include "generator/static_cost.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "generator/asm_report.h"
#include "generator/family.h"
#include "generator/kernel.h"
#include "targets/base/error.h"
#include "targets/features.h"

namespace trit {
namespace {

struct Loop {
  int instructions = 0;
  double products = 0;
  std::string text;
};

// Instructions of a loop that begin so and hold `operand`.
int CountOf(const LoopReport& loop, const std::string& mnemonic, const std::string& operand) {
  std::istringstream lines(loop.text);
  int count = 0;
  for (std::string line; std::getline(lines, line);) {
    count += line.starts_with(mnemonic + " ") && line.find(operand) != std::string::npos;
  }
  return count;
}

// The loop that multiplies most. Products by what it holds: dot instructions multiply 16 bytes,
// smlal and smull eight, smmla 32; a lookup's entry is joined by zip to eight int16, each the sum
// of a group of weights. Lookups of many tokens take a byte of an index word (ubfiz)
// and add eight tokens' entries; the loop that widens sums (saddw) comes once a K block.
Loop BusiestLoop(const Candidate& candidate) {
  const AsmReport report(MatmulAssembly(candidate));
  if (report.loops().empty()) throw Error(Join("no loop in ", candidate.Text()));
  static const std::map<std::string, double> kProducts = {
      {"sdot", 16}, {"usdot", 16}, {"smlal", 8},  {"smlal2", 8},
      {"smull", 8}, {"smull2", 8}, {"smmla", 32}, {"usmmla", 32}};
  // Weights of an entry: of one token, of many. bits looks every weight up twice at one.
  static const std::map<std::string, std::pair<double, double>> kGroup = {
      {"lut2", {2, 4}}, {"lut3", {3, 3}}, {"lut4", {4, 4}},
      {"lut5", {5, 5}}, {"bits", {2, 4}}, {"veclut", {0, 4}}};
  const auto group = kGroup.find(candidate.family);
  Loop loop;
  for (const LoopReport& one : report.loops()) {
    double products = 0;
    if (group != kGroup.end() && one.mnemonics.count("ubfiz") && !one.mnemonics.count("saddw")) {
      products = 8 * group->second.second * CountOf(one, "add", ".8h");
    }
    for (const auto& [mnemonic, count] : one.mnemonics) {
      if (group != kGroup.end()) {
        if (mnemonic.starts_with("zip")) products += 8 * group->second.first * count;
      } else if (const auto known = kProducts.find(mnemonic); known != kProducts.end()) {
        products += known->second * count;
      }
    }
    if (products > loop.products) loop = {one.instructions, products, one.text};
  }
  if (loop.products == 0) {
    throw Error(Join("no product in a loop of ", candidate.Text(), ":\n", report.Text()));
  }
  return loop;
}

constexpr int kIterations = 200;

double ModelledCycles(const std::string& text, const std::string& cpu) {
  const std::string file =
      (std::filesystem::temp_directory_path() / Join("tritforge-loop-", getpid(), ".s")).string();
  std::ofstream(file) << text;
  const std::string command = Join(
      "llvm-mca-19 -mtriple=aarch64-linux-gnu -mattr=+v8.6a,+sve2,+i8mm -mcpu=", cpu,
      " -iterations=", kIterations, " -instruction-info=0 -resource-pressure=0 ", file, " 2>&1");
  std::string said;
  if (FILE* pipe = popen(command.c_str(), "r")) {
    std::array<char, 4096> buffer;
    while (const size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) {
      said.append(buffer.data(), got);
    }
    pclose(pipe);
  }
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  const std::string mark = "Total Cycles:";
  const size_t at = said.find(mark);
  if (at == said.npos) throw Error(Join("llvm-mca-19 gives no cycles for ", cpu, ": ", said));
  return std::strtod(said.c_str() + at + mark.size(), nullptr) / kIterations;
}

// CPU models of LLVM 19 and what they have. A76 is scheduled as LLVM's Cortex-A57 and Apple M1 as
// its Cyclone: LLVM has no model of their own.
struct Model {
  const char* cpu;
  const char* features;
};
constexpr Model kModels[] = {
    {"cortex-a55", "neon dotprod"},
    {"cortex-a76", "neon dotprod"},
    {"neoverse-n1", "neon dotprod"},
    {"apple-m1", "neon dotprod"},
    {"neoverse-v1", "neon dotprod i8mm sve svei8mm"},
    {"neoverse-n2", "neon dotprod i8mm sve sve2 svei8mm"},
    {"neoverse-v2", "neon dotprod i8mm sve sve2 svei8mm"},
};

bool Holds(const char* have, const char* needed) {
  const std::vector<std::string> all = SplitFeatures(have);
  for (const std::string& feature : SplitFeatures(needed)) {
    if (std::find(all.begin(), all.end(), feature) == all.end()) return false;
  }
  return true;
}

// What is compared: {what, candidate without family's target}; a target takes those of its space.
struct Row {
  const char* what;
  const char* family;
  const char* settings;
  const char* needs = "";  // features: elsewhere the same candidate is an emulation
  double used = 1;         // of the products: a matrix instruction wastes half at one token
  bool once = false;       // asks for nothing beyond the least target: shown there alone
};
constexpr Row kRows[] = {
    {"M=1", "mad2", "dot=lane unpack=reg rows=16 k=256 m_tile=1 split=1 cache=1"},
    {"M=1", "mad2", "dot=quad unpack=reg rows=16 k=64 m_tile=1 split=2 cache=1", "neon dotprod"},
    {"M=1", "mad2", "rows=64 k=64 m_tile=1 vectors=4"},
    {"M=1", "mad2", "dot=matrix unpack=reg rows=8 k=64 m_tile=2 split=1 cache=1", "", 0.5},
    {"prefill", "mad2", "dot=lane unpack=tile rows=16 k=256 m_tile=2 split=1 cache=1"},
    {"prefill", "mad2", "dot=quad unpack=reg rows=16 k=64 m_tile=4 split=1 cache=8",
     "neon dotprod"},
    {"prefill", "mad2", "rows=64 k=64 m_tile=4 vectors=4"},
    {"prefill", "mad2", "dot=matrix unpack=reg rows=8 k=64 m_tile=8 split=1 cache=1"},
    {"M=1", "mad5", "dot=quad unpack=reg rows=16 k=80 m_tile=1"},
    {"M=1", "mad5", "rows=64 k=80 m_tile=1 vectors=4"},
    {"prefill", "mad5", "dot=quad unpack=tile rows=16 k=80 m_tile=4", "neon dotprod"},
    {"prefill", "mad5", "rows=64 k=80 m_tile=2 vectors=2"},
    {"M=1", "lut2", "rows=64 steps=32 unroll=1 prefetch=0 form=tables m_tile=1 cache=1"},
    {"M=1", "lut3", "rows=32 steps=6 unroll=1 prefetch=0 form=tables m_tile=1 cache=1"},
    {"M=1", "lut4", "rows=32 steps=32 unroll=1 prefetch=0 form=tables m_tile=1 cache=1"},
    {"M=1", "bits", "rows=64 steps=32 unroll=1 prefetch=0 form=tables m_tile=1 cache=1"},
    {"prefill", "lut2", "rows=64 steps=32 unroll=1 prefetch=0 form=columns m_tile=32 cache=8", "",
     1, true},
    {"prefill", "lut3", "rows=32 steps=6 unroll=1 prefetch=0 form=columns m_tile=32 cache=8", "", 1,
     true},
    {"prefill", "lut4", "rows=32 steps=32 unroll=1 prefetch=0 form=columns m_tile=32 cache=8", "",
     1, true},
    {"prefill", "bits", "rows=64 steps=32 unroll=1 prefetch=0 form=columns m_tile=32 cache=8", "",
     1, true},
    {"prefill", "veclut", "rows=16 k=256 m_tile=32 cache=64", "", 1, true},
};

struct Entry {
  const Target* target;
  const Row* row;
  Candidate candidate;
};

std::vector<Entry> Entries() {
  std::vector<Entry> out;
  std::set<const Row*> taken;
  const Target* least = nullptr;
  for (const Target& target : AllTargets()) {
    if (std::string_view(target.arch) == "aarch64") least = &target;  // lowest rank last
  }
  for (const Target& target : AllTargets()) {
    if (std::string_view(target.arch) != "aarch64") continue;
    for (const Row& row : kRows) {
      if (!FindFamily(row.family).supports(target) || !Holds(target.features, row.needs)) continue;
      if (row.once && &target != least) continue;
      try {
        out.push_back(
            {&target, &row, ReadCandidate(Join(row.family, " ", target.key, " ", row.settings))});
        taken.insert(&row);
      } catch (const Error&) {
        continue;  // another target's way
      }
    }
  }
  for (const Row& row : kRows) {
    if (!taken.count(&row)) {
      throw Error(Join("the table of Arm cycles asks for ", row.family, " with ", row.settings,
                       ", which no Arm target's space has"));
    }
  }
  return out;
}

std::string Fixed(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

}  // namespace

std::vector<Candidate> ArmCyclesCandidates() {
  std::vector<Candidate> out;
  for (const Entry& entry : Entries()) out.push_back(entry.candidate);
  return out;
}

StaticCost CostOf(const Candidate& candidate, const std::string& cpu) {
  const Loop loop = BusiestLoop(candidate);
  return {loop.instructions, loop.products, ModelledCycles(loop.text, cpu)};
}

std::string ArmCyclesTable() {
  std::string out =
      "# Cycles a weight on Arm, modelled\n\n"
      "Written by `tritforge cycles -o results/tables/arm_cycles.md`: the busiest loop of each "
      "kernel by llvm-mca 19, nothing measured, caches and memory not in it. Instructions and "
      "cycles are a thousand weights times tokens; SVE at 128 bits, where the models have their "
      "vectors. In brackets: the speed beside the 2-bit `sdot` kernel (mad2 on dotprod) of the "
      "same row kind on the same CPU. Lookups of many tokens, and codes or digits unpacked to a "
      "tile, are made in other loops, which are not counted. LLVM schedules Cortex-A76 as its "
      "Cortex-A57 and Apple M1 as its Cyclone.\n\n"
      "| target | family | tokens | instructions |";
  std::string rule = "\n|---|---|---|---|";
  for (const Model& model : kModels) {
    out += Join(" ", model.cpu, " |");
    rule += "---|";
  }
  out += rule + "\n";
  struct Line {
    const Target* target;
    const Row* row;
    Loop loop;
    std::map<std::string, double> cycles;  // a product
  };
  std::vector<Line> lines;
  for (const Entry& entry : Entries()) {
    Line line{entry.target, entry.row, BusiestLoop(entry.candidate), {}};
    line.loop.products *= entry.row->used;
    for (const Model& model : kModels) {
      if (!Holds(model.features, entry.target->features)) continue;
      line.cycles[model.cpu] = ModelledCycles(line.loop.text, model.cpu) / line.loop.products;
    }
    lines.push_back(std::move(line));
  }
  const auto reference = [&](const Row& row, const char* cpu) -> double {
    // The least target that has the byte dot product as an instruction.
    const Line* least = nullptr;
    for (const Line& line : lines) {
      if (std::string_view(line.row->settings).find("dot=quad") == std::string_view::npos ||
          line.loop.text.find("sdot") == std::string::npos ||
          std::string_view(line.row->family) != "mad2" ||
          std::string_view(line.row->what) != row.what || !line.cycles.count(cpu)) {
        continue;
      }
      if (!least || line.target->rank < least->target->rank) least = &line;
    }
    return least ? least->cycles.at(cpu) : 0;
  };
  for (const Line& line : lines) {
    out += Join("| ", line.target->key, " | ", line.row->family, " | ", line.row->what, " | ",
                Fixed(1000.0 * line.loop.instructions / line.loop.products, 0), " |");
    for (const Model& model : kModels) {
      const auto at = line.cycles.find(model.cpu);
      if (at == line.cycles.end()) {
        out += " |";
        continue;
      }
      const double sdot = reference(*line.row, model.cpu);
      out += Join(" ", Fixed(1000 * at->second, 1), " (", Fixed(sdot / at->second, 2), ") |");
    }
    out += "\n";
  }
  return out;
}

}  // namespace trit
