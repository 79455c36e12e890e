#include "generator/backend/cache.h"

#include <unistd.h>
#include <xxhash.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr char kMagic[8] = {'T', 'R', 'I', 'T', 'O', 'B', 'J', '1'};

std::string Hex(XXH128_hash_t hash) {
  std::string out(32, '0');
  for (int i = 0; i < 16; ++i) {
    out[15 - i] = "0123456789abcdef"[(hash.high64 >> (4 * i)) & 15];
    out[31 - i] = "0123456789abcdef"[(hash.low64 >> (4 * i)) & 15];
  }
  return out;
}

std::string Sum(const std::string& text) {
  return Hex(XXH3_128bits(text.data(), text.size()));
}

std::string DefaultFolder() {
  if (const char* chosen = std::getenv("TRITFORGE_CACHE")) {
    return std::string_view(chosen) == "off" ? std::string() : std::string(chosen);
  }
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg && *xdg) {
    return std::string(xdg) + "/tritforge";
  }
  if (const char* home = std::getenv("HOME"); home && *home) {
    return std::string(home) + "/.cache/tritforge";
  }
  return {};
}

}  // namespace

const ObjectCache& ObjectCache::Default() {
  static const ObjectCache cache(DefaultFolder());
  return cache;
}

std::string ObjectCache::PathOf(const std::string& key) const {
  return Join(folder_, "/", Sum(key), ".o");
}

// A file is magic, checksum of the rest, key length, key, object: the whole key is compared.
bool ObjectCache::Load(const std::string& key, std::string* object) const {
  if (folder_.empty()) return false;
  std::ifstream in(PathOf(key), std::ios::binary);
  if (!in) return false;
  const std::string all((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const size_t head = sizeof(kMagic) + 32 + sizeof(uint64_t);
  if (all.size() < head || std::memcmp(all.data(), kMagic, sizeof(kMagic)) != 0) return false;
  const std::string rest = all.substr(sizeof(kMagic) + 32);
  if (all.compare(sizeof(kMagic), 32, Sum(rest)) != 0) return false;
  uint64_t key_bytes = 0;
  std::memcpy(&key_bytes, rest.data(), sizeof(key_bytes));
  if (key_bytes != key.size() || rest.size() < sizeof(key_bytes) + key_bytes) return false;
  if (rest.compare(sizeof(key_bytes), key.size(), key) != 0) return false;
  *object = rest.substr(sizeof(key_bytes) + key.size());
  return true;
}

void ObjectCache::Store(const std::string& key, const std::string& object) const {
  if (folder_.empty()) return;
  static std::atomic<uint64_t> count{0};
  std::error_code ignored;
  std::filesystem::create_directories(folder_, ignored);
  const uint64_t key_bytes = key.size();
  std::string rest(reinterpret_cast<const char*>(&key_bytes), sizeof(key_bytes));
  rest += key + object;
  const std::string path = PathOf(key);
  const std::string part = Join(path, ".", getpid(), ".", count.fetch_add(1));
  {
    std::ofstream out(part, std::ios::binary);
    out.write(kMagic, sizeof(kMagic));
    out << Sum(rest) << rest;
    if (!out.flush()) {
      std::filesystem::remove(part, ignored);
      return;
    }
  }
  std::filesystem::rename(part, path, ignored);
}

}  // namespace trit
