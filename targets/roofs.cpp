#include "targets/roofs.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "targets/base/error.h"
#include "targets/features.h"

namespace trit {

#define TRIT_ROOF(key) extern const RoofBody kRoof_##key;
#include "targets/all_roofs.inc"  // generated: this architecture's targets/*/roofs.cpp
#undef TRIT_ROOF

namespace {

struct Entry {
  const char* key;
  const RoofBody* body;
};

const std::vector<Entry>& Table() {
  static const std::vector<Entry> table = {
#define TRIT_ROOF(key) {#key, &kRoof_##key},
#include "targets/all_roofs.inc"
#undef TRIT_ROOF
  };
  return table;
}

bool Includes(const Target& target, const Target& other) {
  const std::vector<std::string> have = SplitFeatures(target.features);
  for (const std::string& f : SplitFeatures(other.features)) {
    if (std::find(have.begin(), have.end(), f) == have.end()) return false;
  }
  return true;
}

}  // namespace

const RoofBody* FindRoof(const Target& target) {
  for (const Target& t : AllTargets()) {  // highest rank first
    if (t.rank > target.rank || std::string_view(t.arch) != target.arch || !Includes(target, t)) {
      continue;
    }
    for (const Entry& e : Table()) {
      if (std::string_view(e.key) == t.key) return e.body;
    }
  }
  return nullptr;
}

const RoofBody& HostRoof() {
  for (const Target& t : AllTargets()) {
    if (!HostFeatures().CanRun(t)) continue;
    if (const RoofBody* body = FindRoof(t)) return *body;
  }
  throw Error(Join("no target of ", HostArch(), " has roof bodies"));
}

}  // namespace trit
