// A program as a user runs it: exit code, everything it printed, how long it took.
#pragma once

#include <sys/wait.h>

#include <chrono>
#include <cstdio>
#include <string>

namespace trit {

struct Ran {
  int code = -1;    // 128 + the signal where one ended it
  std::string out;  // both streams
  double seconds = 0;
};

inline Ran Shell(const std::string& command) {
  const auto start = std::chrono::steady_clock::now();
  Ran ran;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ran;
  char chunk[4096];
  for (size_t got; (got = fread(chunk, 1, sizeof(chunk), pipe)) > 0;) ran.out.append(chunk, got);
  const int status = pclose(pipe);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  ran.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return ran;
}

}  // namespace trit
