// Packed tensors of one model kept in a file, so that a second start reads them instead of packing.
//
//   file:  "TRITPACK" | u32 version | u32 entries | u64 table bytes | u64 checksum of the table
//          table: the stamp, then for each entry its name, tag, sizes, offset and checksum
//          data: each entry at a multiple of 4096
// All numbers little-endian. The stamp says which model files, options and layouts it was made for;
// any difference, a wrong checksum or a short file make the cache "absent", never wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/thread_pool.h"

namespace trit {

struct CacheEntry {
  std::string name;  // "blk.3.qkv"
  std::string tag;   // layout id, or the kind of other data
  uint64_t offset = 0, bytes = 0, checksum = 0;
};

class PackedCacheReader {
 public:
  // Opens `path` when it exists and fits `stamp`; otherwise ok() is false.
  PackedCacheReader(const std::string& path, const std::string& stamp);
  ~PackedCacheReader();
  PackedCacheReader(const PackedCacheReader&) = delete;
  PackedCacheReader& operator=(const PackedCacheReader&) = delete;

  bool ok() const { return file_ >= 0; }
  const CacheEntry* Find(const std::string& name) const;
  // Reads an entry on all threads; false when the file fails or the checksum differs.
  bool Read(const CacheEntry& entry, void* out, ThreadPool& pool) const;

 private:
  int file_ = -1;
  std::vector<CacheEntry> entries_;
};

class PackedCacheWriter {
 public:
  // Data may stay where it is until Write returns.
  void Add(std::string name, std::string tag, const void* data, uint64_t bytes);
  // Writes a temporary file and renames it. Returns "" or a sentence that says why it did not work
  // (a full disk is no reason to stop).
  std::string Write(const std::string& path, const std::string& stamp, ThreadPool& pool) const;

 private:
  struct Item {
    std::string name, tag;
    const void* data;
    uint64_t bytes;
  };
  std::vector<Item> items_;
};

// $TRIT_CACHE_DIR, else $XDG_CACHE_HOME/tritforge, else $HOME/.cache/tritforge, else "".
std::string DefaultCacheFolder();

}  // namespace trit
