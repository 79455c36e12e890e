// A buffer whose neighbours cannot be touched unseen: it ends at an unmapped page (or begins after
// one), and what alignment leaves between the buffer and the page holds a canary.
#pragma once

#include <cstddef>
#include <cstdint>

namespace trit::kit {

class Guarded {
 public:
  enum Side { kEnd, kBegin };

  // `bytes` may be 0. Contents begin as `pattern`.
  explicit Guarded(uint64_t bytes, size_t align = 64, Side side = kEnd, uint8_t pattern = 0xa5);
  ~Guarded();
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data_);
  }
  uint64_t bytes() const { return bytes_; }

  void Set(uint8_t pattern);
  void ReadOnly();  // from here on a write is a fault
  bool CanaryIntact() const;

 private:
  uint8_t* map_;
  uint8_t* inner_;  // the writable pages
  uint8_t* data_;
  uint64_t bytes_, inner_bytes_, map_bytes_;
};

}  // namespace trit::kit
