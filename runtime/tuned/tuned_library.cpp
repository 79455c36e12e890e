#include "runtime/tuned/tuned_library.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "runtime/host/host.h"
#include "runtime/kernel_library.h"
#include "targets/base/error.h"

namespace trit {
namespace {

constexpr const char* kFormat = "tritforge-tuned-1";
constexpr uint64_t kMaxBytes = uint64_t{1} << 30;

}  // namespace

std::string ContentHash(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (unsigned char c : bytes) hash = (hash ^ c) * 0x100000001b3u;
  char hex[17];
  std::snprintf(hex, sizeof(hex), "%016llx", static_cast<unsigned long long>(hash));
  return hex;
}

std::string TunedFolder() {
  const char* wanted = std::getenv("TRIT_TUNED");
  if (wanted && std::string_view(wanted) == "off") return "";
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  std::string base;
  if (cache && cache[0] == '/') {
    base = cache;
  } else if (home && home[0] == '/') {
    base = Join(std::string_view(home), "/.cache");
  } else {
    return "";
  }
  return Join(base, "/tritforge/tuned/", ThisHost().Key());
}

std::string DescribeTunedLibrary(std::string_view library_name, std::string_view bytes) {
  return Join("format ", std::string_view(kFormat), "\nhost ", ThisHost().Key(), "\nlibrary ",
              library_name, "\nbytes ", bytes.size(), "\nhash ", ContentHash(bytes), "\n");
}

TunedLibrary FindTunedLibrary(const std::string& folder) {
  if (folder.empty()) return {};
  const std::string description = folder + "/current";
  std::error_code error;
  if (!std::filesystem::exists(description, error)) return {};
  const auto ignored = [&](const std::string& why) {
    return TunedLibrary{"", Join("the tuned library in ", folder, " is ignored: ", why)};
  };
  std::map<std::string, std::string> fields;
  std::ifstream in(description);
  std::string key, value;
  for (int i = 0; i < 16 && in >> key >> value; ++i) fields[key] = value.substr(0, 200);
  if (fields["format"] != kFormat) {
    return ignored(
        Join("its format is \"", fields["format"], "\", not ", std::string_view(kFormat)));
  }
  if (fields["host"] != ThisHost().Key()) {
    return ignored(Join("it was made for another machine (", fields["host"], ", this is ",
                        ThisHost().Key(), ")"));
  }
  const std::string& name = fields["library"];
  if (name.empty() || name.find('/') != std::string::npos || name[0] == '.') {
    return ignored("it does not name its file");
  }
  const std::string path = Join(folder, "/", name);
  const auto size = std::filesystem::file_size(path, error);
  if (error) return ignored(Join("its file ", name, " is not there"));
  if (size > kMaxBytes || std::to_string(size) != fields["bytes"]) {
    return ignored(
        Join("its file has ", static_cast<uint64_t>(size), " bytes instead of ", fields["bytes"]));
  }
  std::string bytes(size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size)) ||
      ContentHash(bytes) != fields["hash"]) {
    return ignored("its file was changed since it was made");
  }
  return {path, ""};
}

std::vector<std::string> WithTunedLibrary(std::vector<std::string> named,
                                          std::vector<std::string>* notes) {
  const TunedLibrary tuned = FindTunedLibrary();
  if (!tuned.reason.empty()) notes->push_back(tuned.reason);
  if (tuned.path.empty()) return named;
  try {
    const auto library = KernelLibrary::FromFile(tuned.path);
    if (library->runnable()) {
      named.push_back(tuned.path);
    } else {
      notes->push_back(Join("the tuned library ", tuned.path, " is ignored: this CPU lacks ",
                            library->missing_features().front()));
    }
  } catch (const Error& e) {
    notes->push_back(Join("the tuned library is ignored: ", std::string_view(e.what())));
  }
  return named;
}

}  // namespace trit
