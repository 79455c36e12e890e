#include "targets/target.h"

#include <algorithm>
#include <string>
#include <vector>

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr Target kTargets[] = {
#include "targets/all_targets.inc"  // generated: every targets/*/target.inc
};

}  // namespace

std::span<const Target> AllTargets() {
  static const std::vector<Target> sorted = [] {
    std::vector<Target> t(std::begin(kTargets), std::end(kTargets));
    std::stable_sort(t.begin(), t.end(),
                     [](const Target& a, const Target& b) { return a.rank > b.rank; });
    return t;
  }();
  return sorted;
}

const Target& FindTarget(std::string_view key) {
  std::string known;
  for (const Target& t : AllTargets()) {
    if (key == t.key) return t;
    known += known.empty() ? t.key : std::string(", ") + t.key;
  }
  throw Error(Join("there is no target \"", key, "\"; known targets: ", known));
}

std::string_view HostArch() {
#if defined(__x86_64__)
  return "x86-64";
#elif defined(__aarch64__)
  return "aarch64";
#else
#error "target.cpp: name this architecture"
#endif
}

int VectorRegisters(const Target& target) {
  return target.vector_bytes == 64 || target.arch == std::string_view("aarch64") ? 32 : 16;
}

const Target& BaselineTarget() {
  const Target* lowest = nullptr;
  for (const Target& t : AllTargets()) {
    if (t.arch == HostArch()) lowest = &t;  // highest rank first
  }
  if (lowest == nullptr) throw Error(Join("no target of architecture ", HostArch()));
  return *lowest;
}

}  // namespace trit
