// A flat hash table from strings to small integers; the strings live elsewhere.
#pragma once

#include <xxhash.h>

#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

namespace trit {

class StringIndex {
 public:
  // Room for `count` strings; text(i) gives the string of value i.
  explicit StringIndex(size_t count = 0)
      : mask_(std::bit_ceil(count * 2 + 2) - 1), slots_(mask_ + 1) {}

  // False when an equal string is there already (it stays).
  bool Add(std::string_view text, int32_t value) {
    const uint64_t hash = Hash(text);
    size_t at = hash & mask_;
    for (; slots_[at].value >= 0; at = (at + 1) & mask_) {
      if (slots_[at].hash == hash && slots_[at].text == text) return false;
    }
    slots_[at] = {text, hash, value};
    return true;
  }

  // -1 when absent.
  int32_t Find(std::string_view text) const {
    const uint64_t hash = Hash(text);
    for (size_t at = hash & mask_; slots_[at].value >= 0; at = (at + 1) & mask_) {
      if (slots_[at].hash == hash && slots_[at].text == text) return slots_[at].value;
    }
    return -1;
  }

 private:
  struct Slot {
    std::string_view text;
    uint64_t hash = 0;
    int32_t value = -1;
  };
  static uint64_t Hash(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

  size_t mask_;
  std::vector<Slot> slots_;
};

}  // namespace trit
