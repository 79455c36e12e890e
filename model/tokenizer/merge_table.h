// Byte-pair merging: symbols are joined two by two, the pair of lowest rank first and, among equal
// ranks, the leftmost, until no pair of neighbours is in the table.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace trit {

class MergeTable {
 public:
  struct Merge {
    uint32_t rank = UINT32_MAX;  // UINT32_MAX: no such pair
    int32_t joined = -1;
  };

  // Room for `count` pairs.
  explicit MergeTable(size_t count = 0)
      : mask_(std::bit_ceil(count * 2 + 2) - 1), slots_(mask_ + 1) {}

  // Keeps the lower rank when the pair is there already.
  void Add(int32_t left, int32_t right, uint32_t rank, int32_t joined);

  Merge Find(int32_t left, int32_t right) const {
    const uint64_t key = Key(left, right);
    for (size_t at = Place(key); slots_[at].merge.rank != UINT32_MAX; at = (at + 1) & mask_) {
      if (slots_[at].key == key) return slots_[at].merge;
    }
    return {};
  }

  // Merges `symbols` in place (negative symbols merge with nothing) and shortens the vector. Short
  // inputs by scanning, long ones with a heap: n log n at worst.
  void Apply(std::vector<int32_t>* symbols) const;

 private:
  struct Slot {
    uint64_t key = 0;
    Merge merge;
  };
  static uint64_t Key(int32_t left, int32_t right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }
  size_t Place(uint64_t key) const {
    return static_cast<size_t>((key * 0x9e3779b97f4a7c15u) >> 20) & mask_;
  }
  void ApplyByScan(std::vector<int32_t>* symbols) const;
  void ApplyByHeap(std::vector<int32_t>* symbols) const;

  size_t mask_;
  std::vector<Slot> slots_;
};

}  // namespace trit
