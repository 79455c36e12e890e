#include "generator/asm_report.h"

#include <algorithm>
#include <sstream>

#include "targets/base/error.h"

namespace trit {
namespace {

struct Line {
  std::string label;     // "" = none
  std::string mnemonic;  // "" = none
  std::string operands;
  bool spill = false;
};

// LLVM marks vector spills in comments: "# 64-byte Spill", "// 32-byte Folded Reload".
Line ParseLine(const std::string& text) {
  Line line;
  // "#" begins a comment on x86 and a number on Arm, where comments begin with "//".
  size_t comment = text.find("//");
  for (const char* mark : {"# ", "##", "#A", "#N"}) comment = std::min(comment, text.find(mark));
  const std::string note = comment == std::string::npos ? "" : text.substr(comment);
  for (const char* bytes : {"16-byte", "32-byte", "64-byte", "Unknown-size"}) {
    if (note.find(bytes) != std::string::npos &&
        (note.find("Spill") != std::string::npos || note.find("Reload") != std::string::npos)) {
      line.spill = true;
    }
  }
  std::istringstream words(text.substr(0, comment));
  std::string word;
  if (!(words >> word)) return line;
  if (word.back() == ':') {
    line.label = word.substr(0, word.size() - 1);
    return line;
  }
  if (word[0] == '.') return line;                      // directive
  if (word[0] == '{' && !(words >> word)) return line;  // "{vex} vpdpbusd"
  line.mnemonic = word;
  std::getline(words, line.operands);
  const size_t start = line.operands.find_first_not_of(" \t");
  line.operands = start == std::string::npos ? "" : line.operands.substr(start);
  while (!line.operands.empty() && (line.operands.back() == ' ' || line.operands.back() == '\t')) {
    line.operands.pop_back();
  }
  return line;
}

bool IsCall(const std::string& m) {
  return m == "call" || m == "callq" || m == "bl" || m == "blr";
}
bool IsGather(const std::string& m) {
  return m.find("gather") != std::string::npos || m.find("scatter") != std::string::npos;
}
// "v3.16b", "q3", "d3" or "z3.s" at the start of any operand, also in braces.
bool IsArmVector(const std::string& operands) {
  for (size_t i = 0; i + 1 < operands.size(); ++i) {
    const bool starts = i == 0 || operands[i - 1] == ' ' || operands[i - 1] == '{';
    const bool digit = operands[i + 1] >= '0' && operands[i + 1] <= '9';
    if (starts && digit && std::string("vqdz").find(operands[i]) != std::string::npos) return true;
  }
  return false;
}
bool IsVector(const Line& line) {
  return line.operands.find("%zmm") != std::string::npos ||
         line.operands.find("%ymm") != std::string::npos ||
         line.operands.find("%xmm") != std::string::npos || IsArmVector(line.operands);
}
// Conditional or not, to a label of this text.
bool IsJump(const std::string& m) {
  return m[0] == 'j' || m == "b" || m.starts_with("b.") || m.starts_with("cb") ||
         m.starts_with("tb");
}

}  // namespace

AsmReport::AsmReport(const std::string& assembly) {
  std::vector<Line> lines;
  std::map<std::string, size_t> labels;
  std::istringstream in(assembly);
  for (std::string text; std::getline(in, text);) {
    Line line = ParseLine(text);
    if (!line.label.empty()) labels[line.label] = lines.size();
    if (!line.mnemonic.empty()) {
      ++all_[line.mnemonic];
      calls_ += IsCall(line.mnemonic);
      gathers_ += IsGather(line.mnemonic);
    }
    lines.push_back(std::move(line));
  }
  std::vector<std::pair<size_t, size_t>> ranges;  // label line, last jump line
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].mnemonic.empty() || !IsJump(lines[i].mnemonic)) continue;
    const size_t comma = lines[i].operands.find_last_of(", ");
    const auto to = labels.find(comma == std::string::npos ? lines[i].operands
                                                           : lines[i].operands.substr(comma + 1));
    if (to != labels.end() && to->second < i) ranges.push_back({to->second, i});
  }
  for (const auto& [begin, end] : ranges) {
    const bool inner = std::none_of(ranges.begin(), ranges.end(), [&](const auto& other) {
      return other != std::make_pair(begin, end) && other.first >= begin && other.second <= end;
    });
    if (!inner) continue;
    LoopReport loop;
    loop.label = lines[begin].label;
    for (size_t i = begin; i <= end; ++i) {
      if (lines[i].mnemonic.empty()) continue;
      ++loop.instructions;
      loop.text += lines[i].mnemonic + " " + lines[i].operands + "\n";
      ++loop.mnemonics[lines[i].mnemonic];
      loop.vector_instructions += IsVector(lines[i]);
      loop.spills += lines[i].spill;
      loop.gathers += IsGather(lines[i].mnemonic);
      loop.calls += IsCall(lines[i].mnemonic);
    }
    loops_.push_back(std::move(loop));
  }
  std::stable_sort(loops_.begin(), loops_.end(), [](const LoopReport& a, const LoopReport& b) {
    return a.vector_instructions > b.vector_instructions;
  });
}

bool AsmReport::Holds(const std::string& mnemonics) const {
  std::istringstream alternatives(mnemonics);
  for (std::string one; std::getline(alternatives, one, '|');) {
    for (const std::string& name : {one, "v" + one}) {  // AVX spells SSE's names with a v
      if (loops_.empty() && all_.count(name)) return true;
      for (const LoopReport& loop : loops_) {
        if (loop.mnemonics.count(name)) return true;
      }
    }
  }
  return false;
}

std::string AsmReport::Text() const {
  std::string out = Join("# ", loops_.size(), " innermost loops, ", calls_, " calls, ", gathers_,
                         " gathers in all\n");
  for (const LoopReport& loop : loops_) {
    if (loop.vector_instructions == 0) continue;
    out += Join("# ", loop.label, ": ", loop.instructions, " instructions, ",
                loop.vector_instructions, " vector, ", loop.spills, " spills:");
    std::vector<std::pair<int, std::string>> counts;
    for (const auto& [name, count] : loop.mnemonics) counts.push_back({-count, name});
    std::sort(counts.begin(), counts.end());
    for (const auto& [count, name] : counts) out += Join(" ", name, " ", -count);
    out += "\n";
  }
  return out;
}

}  // namespace trit
