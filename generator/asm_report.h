// What the loops of an assembly text hold: for people (tritforge asm) and for the tests that look
// for the wanted instruction, for spills, gathers and calls.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace trit {

struct LoopReport {
  std::string label;
  int instructions = 0;
  int vector_instructions = 0;
  int spills = 0;  // vector registers stored to or reloaded from the stack
  int gathers = 0;
  int calls = 0;
  std::map<std::string, int> mnemonics;
  std::string text;  // its instructions, for llvm-mca
};

class AsmReport {
 public:
  explicit AsmReport(const std::string& assembly);

  // Innermost loops (a backward jump with no other backward jump inside), busiest in vector
  // instructions first.
  const std::vector<LoopReport>& loops() const { return loops_; }
  int calls() const { return calls_; }  // in the whole text
  int gathers() const { return gathers_; }
  // One of "vpermw|vpermb" in any innermost loop, or in straight code when there is no loop; a name
  // also stands for its AVX form ("pmaddwd": vpmaddwd).
  bool Holds(const std::string& mnemonics) const;
  std::string Text() const;

 private:
  std::vector<LoopReport> loops_;
  std::map<std::string, int> all_;
  int calls_ = 0, gathers_ = 0;
};

}  // namespace trit
