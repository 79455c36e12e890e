#include "generator/select/micro_ops.h"

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "generator/embed/embedded.h"
#include "targets/base/error.h"

namespace trit {
namespace {

std::set<std::string, std::less<>> DefinedNames(std::string_view text) {
  std::set<std::string, std::less<>> names;
  constexpr std::string_view kDefine = "define weak_odr ";
  for (size_t at = text.find(kDefine); at != text.npos; at = text.find(kDefine, at + 1)) {
    const size_t begin = text.find('@', at), end = text.find('(', at);
    if (begin == text.npos || end == text.npos || begin > end) continue;
    names.emplace(text.substr(begin + 1, end - begin - 1));
  }
  return names;
}

}  // namespace

bool HasMicroOp(const Target& target, std::string_view name, int lanes) {
  static std::mutex mutex;
  static std::map<std::string, std::set<std::string, std::less<>>> by_target;
  const std::lock_guard lock(mutex);
  auto found = by_target.find(target.key);
  if (found == by_target.end()) {
    const std::string file = Join("micro_ops/", target.key, ".ll");
    found = by_target
                .emplace(target.key, HasEmbedded(file) ? DefinedNames(Embedded(file))
                                                       : std::set<std::string, std::less<>>())
                .first;
  }
  return found->second.contains(Join(name, "x", lanes));
}

bool HasBody(const Target& target, std::string_view body) {
  return HasEmbedded(Join("bodies/", body, ".", target.key, ".bc"));
}

}  // namespace trit
