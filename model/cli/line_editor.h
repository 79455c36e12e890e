// One line from the terminal with editing (arrows, Home, End, Ctrl-A/E/K/U/W, backspace over whole
// UTF-8 characters) and history (up, down). From a pipe: plain lines.
#pragma once

#include <string>
#include <vector>

namespace trit::cli {

class LineEditor {
 public:
  explicit LineEditor(bool terminal) : terminal_(terminal) {}
  // False at the end of input (Ctrl-D on an empty line). Ctrl-C gives an empty line.
  bool Read(const char* prompt, std::string* line);

 private:
  bool ReadTerminal(const char* prompt, std::string* line);
  bool terminal_;
  std::vector<std::string> history_;
};

}  // namespace trit::cli
