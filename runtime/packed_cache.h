// Packed tensors on disk, so that a model is packed once and not at every start.
//
// A file a tensor, named by what it holds: the hash of the tensor's source, its shape and the
// layout's id. Small facts that packing found out (which neurons are dead) are files of the same
// form, their kind in place of a layout. Nothing in it depends on the machine beyond that, and
// nothing is trusted when read: header and every megabyte are checksummed.
//
//   written  to a temporary name in the same folder, then renamed: a process that dies at any
//            moment leaves a whole file, or a temporary one that the next start removes
//   read     into huge pages by all threads, checked block by block while it is in cache; a file
//            that is damaged or from another version is removed and counts as absent
//   capped   the files that were not used for longest go first
//
// There is no flush to disk: after a power failure a file may be damaged, which its checksums tell.
// A cache that cannot be written (full disk, read-only folder) is no error for the program:
// Store says why, and everything works without.
//
// Layout of a file (little endian, offsets in bytes):
//   0       header, 4096 bytes: magic, version, sizes, content hash, layout id, checksums
//   4096    one 16-byte XXH3 a block of 1 MiB, padded to a multiple of 4096
//   ...     the packed tensor
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/hash.h"
#include "runtime/packed_matrix.h"

namespace trit {

class PackedCache {
 public:
  static constexpr uint64_t kDefaultCapBytes = uint64_t{32} << 30;

  // $XDG_CACHE_HOME/tritforge/packed, or ~/.cache/tritforge/packed; empty when neither is set.
  static std::filesystem::path DefaultDirectory();

  // Creates the folder and removes what dead processes left behind. A folder that cannot be made
  // leaves the cache empty and unwritable, which is no error.
  explicit PackedCache(std::filesystem::path directory, uint64_t cap_bytes = kDefaultCapBytes);

  // The tensor with this content in the plan's layout, or nothing.
  std::optional<PackedMatrix> Load(const Hash128& content, const KernelPlan& plan, ThreadPool& pool,
                                   Arena* arena = nullptr) const;

  // "" when stored, else the reason why not.
  std::string Store(const Hash128& content, const PackedMatrix& matrix) const;

  // The same for `bytes` bytes of any other kind; `kind` names what they are, with a version.
  // Load fills `out` and says true, or says false and leaves anything there.
  bool LoadBytes(const Hash128& content, std::string_view kind, void* out, uint64_t bytes,
                 ThreadPool& pool) const;
  std::string StoreBytes(const Hash128& content, std::string_view kind, const void* data,
                         uint64_t bytes) const;

  // Bytes of all whole files.
  uint64_t Bytes() const;
  std::filesystem::path File(const Hash128& content, const KernelPlan& plan) const;
  const std::filesystem::path& directory() const { return directory_; }

 private:
  struct Item;
  // Calls reserve() for the place once a file of the right kind and size is found.
  template <typename Reserve>
  bool LoadItem(const Item& item, ThreadPool& pool, const Reserve& reserve) const;
  std::string StoreItem(const Item& item, const std::byte* data) const;
  std::filesystem::path File(const Item& item) const;
  void RemoveLeftovers() const;
  void MakeRoom(uint64_t bytes, const std::filesystem::path& keep) const;

  const std::filesystem::path directory_;
  const uint64_t cap_bytes_;
};

// From the cache where it has it, else packed and stored. `cache` may be null. `hit` says which,
// `trouble` why it could not be stored ("" when it was, or needed not be).
PackedMatrix PackThroughCache(const PackedCache* cache, const Hash128& content, KernelPlan plan,
                              const RowSource& source, ThreadPool& pool, Arena* arena = nullptr,
                              const PackProgress& progress = {}, bool* hit = nullptr,
                              std::string* trouble = nullptr);

}  // namespace trit
