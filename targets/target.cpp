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

}  // namespace trit
