// LLVM 19: bitcode modules linked, retargeted, optimised -> object or assembly text. No LLVM type
// leaves this file's source: it is compiled with hidden visibility because libHalide brings an
// LLVM of its own into the process.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trit {

struct CodeRequest {
  std::string what;                       // for messages: the candidate's or layout's text
  std::string arch;                       // "x86-64" or "aarch64"
  std::vector<std::string_view> modules;  // bitcode, linked in order
  std::vector<std::pair<std::string, std::string>> constants;  // external constant -> its bytes
  std::vector<std::pair<std::string, std::string>> exports;    // function -> its symbol
  std::string features;       // "+sse2,+ssse3,...": all that may be used
  std::string tune_cpu;       // scheduling model only
  int prefetch_locality = 3;  // of every prefetch: 3 into the first cache .. 1 the last, 0 "once"
  bool tie_lookups = false;   // backend/tie.h
  bool vectorize = false;     // C loops: yes. Halide stages decide themselves: no
  bool lowered = false;       // from Halide, loops and all: a few passes do what O3 does
};

// Both throw trit::Error naming `what` when the modules do not link or verify, or when the result
// would call something that no kernel library may call (anything but memcpy, memmove, memset).
std::string EmitObject(const CodeRequest& request);
std::string EmitAssembly(const CodeRequest& request);

// LLVM assembly (text) of constant tables -> object. Symbols as the text says.
std::string AssembleTables(const std::string& text, const std::string& arch,
                           const std::string& what);

// Objects as a static archive with a symbol table; deterministic.
std::string MakeArchive(const std::vector<std::pair<std::string, std::string_view>>& members);

std::string LlvmVersion();

// Timings of the last request of this thread, in milliseconds.
struct CodeTimes {
  double link = 0, optimise = 0, emit = 0;
};
CodeTimes LastCodeTimes();

}  // namespace trit
