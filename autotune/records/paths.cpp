#include "autotune/records/paths.h"

#include <cstdlib>

#include "targets/base/error.h"

namespace trit {
namespace {

std::string Folder(const char* variable, const char* below_home) {
  const char* value = std::getenv(variable);
  if (value && value[0] == '/') return value;
  const char* home = std::getenv("HOME");
  if (!home || home[0] != '/') {
    throw Error(Join("Neither ", variable,
                     " nor HOME names a folder, so there is no place for "
                     "the user's files; set one of them."));
  }
  return Join(std::string_view(home), "/", below_home);
}

}  // namespace

std::string DefaultDatabasePath() {
  const char* explicit_path = std::getenv("TRITFORGE_DB");
  if (explicit_path && explicit_path[0]) return explicit_path;
  return Folder("XDG_DATA_HOME", ".local/share") + "/tritforge/records.jsonl";
}

std::string CacheFolder() {
  return Folder("XDG_CACHE_HOME", ".cache") + "/tritforge";
}

}  // namespace trit
