#include "generator/embed/embedded.h"

#include <string>

#include "targets/base/error.h"

// generator/embedded_files.inc is generated: TRIT_FILE(number, name, path) for every file.
#define TRIT_FILE(number, name, path)                                               \
  asm(".section .rodata\n.balign 64\ntrit_file_" #number ":\n.incbin \"" path       \
      "\"\ntrit_file_end_" #number ":\n.byte 0\n.previous\n");                      \
  extern "C" {                                                                      \
  __attribute__((visibility("hidden"))) extern const char trit_file_##number[];     \
  __attribute__((visibility("hidden"))) extern const char trit_file_end_##number[]; \
  }
#include "generator/embedded_files.inc"
#undef TRIT_FILE

namespace trit {
namespace {

struct File {
  std::string_view name;
  const char* begin;
  const char* end;
};

const File kFiles[] = {
#define TRIT_FILE(number, name, path) {name, trit_file_##number, trit_file_end_##number},
#include "generator/embedded_files.inc"
#undef TRIT_FILE
};

const File* Find(std::string_view name) {
  for (const File& f : kFiles) {
    if (f.name == name) return &f;
  }
  return nullptr;
}

}  // namespace

bool HasEmbedded(std::string_view name) {
  return Find(name) != nullptr;
}

std::string_view Embedded(std::string_view name) {
  if (const File* f = Find(name)) return {f->begin, static_cast<size_t>(f->end - f->begin)};
  std::string known;
  for (const File& f : kFiles) known += (known.empty() ? "" : ", ") + std::string(f.name);
  throw Error(Join("the generator carries no file \"", name, "\"; it has ", known));
}

}  // namespace trit
