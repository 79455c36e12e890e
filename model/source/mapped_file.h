// A read-only file in memory, mapped: nothing is read before it is touched.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace trit {

class MappedFile {
 public:
  // Throws an Error with the path and the system's reason. An empty file maps to no bytes.
  static std::shared_ptr<const MappedFile> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const uint8_t> bytes() const { return {data_, size_}; }
  const std::string& path() const { return path_; }
  // Name, size, time of last change: equal stamps mean the same content for all practical purposes.
  const std::string& stamp() const { return stamp_; }
  // Lets go of whole pages inside `part`, which lies in bytes().
  void Drop(std::span<const uint8_t> part) const;

 private:
  MappedFile() = default;
  std::string path_, stamp_;
  const uint8_t* data_ = nullptr;
  uint64_t size_ = 0;
};

// A small file (configuration, index) as text. Throws when it is longer than `limit_bytes`.
std::string ReadSmallFile(const std::string& path, uint64_t limit_bytes);

}  // namespace trit
