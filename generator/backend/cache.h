// Compiled objects kept between runs, addressed by content: the key names everything the object
// depends on. A folder of files, written atomically and checksummed; a damaged file is a miss.
//
// Where: $TRITFORGE_CACHE, else $XDG_CACHE_HOME/tritforge, else $HOME/.cache/tritforge. Without any
// of them, or with TRITFORGE_CACHE=off, nothing is cached.
#pragma once

#include <string>

namespace trit {

class ObjectCache {
 public:
  explicit ObjectCache(std::string folder) : folder_(std::move(folder)) {}  // "" = no cache
  static const ObjectCache& Default();

  bool Load(const std::string& key, std::string* object) const;
  void Store(const std::string& key, const std::string& object) const;  // failures are ignored
  std::string PathOf(const std::string& key) const;

 private:
  std::string folder_;
};

}  // namespace trit
