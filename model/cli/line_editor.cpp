#include "model/cli/line_editor.h"

#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace trit::cli {
namespace {

// The terminal without line buffering and echo, as it was before when this goes.
class RawMode {
 public:
  RawMode() {
    tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
  }
  ~RawMode() { tcsetattr(STDIN_FILENO, TCSADRAIN, &before_); }
  RawMode(const RawMode&) = delete;
  RawMode& operator=(const RawMode&) = delete;

 private:
  termios before_{};
};

bool Continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

size_t Left(const std::string& text, size_t at) {
  if (at == 0) return 0;
  do --at;
  while (at > 0 && Continues(text[at]));
  return at;
}

size_t Right(const std::string& text, size_t at) {
  if (at >= text.size()) return text.size();
  do ++at;
  while (at < text.size() && Continues(text[at]));
  return at;
}

size_t Columns(const std::string& text, size_t from) {
  size_t columns = 0;
  for (size_t i = from; i < text.size(); ++i) columns += Continues(text[i]) ? 0 : 1;
  return columns;
}

}  // namespace

bool LineEditor::Read(const char* prompt, std::string* line) {
  if (terminal_) return ReadTerminal(prompt, line);
  return static_cast<bool>(std::getline(std::cin, *line));
}

bool LineEditor::ReadTerminal(const char* prompt, std::string* line) {
  const RawMode raw;
  std::string text, draft;
  size_t at = 0, entry = history_.size();
  const auto draw = [&] {
    std::fprintf(stderr, "\r%s%s\x1b[K", prompt, text.c_str());
    if (const size_t back = Columns(text, at); back > 0) std::fprintf(stderr, "\x1b[%zuD", back);
    std::fflush(stderr);
  };
  const auto recall = [&](size_t to) {
    if (entry == history_.size()) draft = text;
    entry = to;
    text = entry == history_.size() ? draft : history_[entry];
    at = text.size();
  };
  const auto next = [](char* c) { return read(STDIN_FILENO, c, 1) == 1; };
  draw();
  for (char c; next(&c); draw()) {
    if (c == '\r' || c == '\n') break;
    if (c == 3) {  // Ctrl-C
      text.clear();
      break;
    }
    if (c == 4 && text.empty()) {  // Ctrl-D
      std::fprintf(stderr, "\n");
      return false;
    }
    if (c == 127 || c == 8) {
      const size_t from = Left(text, at);
      text.erase(from, at - from);
      at = from;
    } else if (c == 1) {
      at = 0;
    } else if (c == 5) {
      at = text.size();
    } else if (c == 11) {
      text.erase(at);
    } else if (c == 21) {
      text.erase(0, at);
      at = 0;
    } else if (c == 23) {  // the word before
      size_t from = at;
      while (from > 0 && text[from - 1] == ' ') --from;
      while (from > 0 && text[from - 1] != ' ') --from;
      text.erase(from, at - from);
      at = from;
    } else if (c == 27) {
      char a = 0, b = 0;
      if (!next(&a) || (a != '[' && a != 'O') || !next(&b)) continue;
      if (b == 'D') at = Left(text, at);
      if (b == 'C') at = Right(text, at);
      if (b == 'H') at = 0;
      if (b == 'F') at = text.size();
      if (b == 'A' && entry > 0) recall(entry - 1);
      if (b == 'B' && entry < history_.size()) recall(entry + 1);
      if (b >= '0' && b <= '9') {
        char tilde = 0;
        if (next(&tilde) && tilde == '~' && b == '3') text.erase(at, Right(text, at) - at);
      }
    } else if (static_cast<unsigned char>(c) >= 32) {
      text.insert(at++, 1, c);
    }
  }
  std::fprintf(stderr, "\n");
  if (!text.empty() && (history_.empty() || history_.back() != text)) history_.push_back(text);
  *line = text;
  return true;
}

}  // namespace trit::cli
