// Keys and values of sequences, in pages of 64 positions shared by reference count.
//
// A page holds 64 positions of every layer and KV head ([layer][head] blocks as in
// model/ops/kv_block.h). A sequence is a list of pages and a length; sequences that begin alike
// share their whole pages. A page that others refer to is copied before it is written.
// Not thread-safe: one thread changes sequences, between forward passes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/ops/kv_block.h"

namespace trit {

struct KvLayout {
  ops::KvBlockShape block;
  int layers = 0;
  int heads = 0;

  size_t block_bytes() const { return (block.bytes() + 63) / 64 * 64; }
  size_t Offset(int layer, int head) const {
    return (static_cast<size_t>(layer) * static_cast<size_t>(heads) + static_cast<size_t>(head)) *
           block_bytes();
  }
  size_t page_bytes() const { return Offset(layers, 0); }
};

// Hands out zeroed pages, at most `max_pages` at a time (0 = as many as memory has). A page goes
// back when its last owner lets go of it, and is used again. Outlives its pages safely.
class KvPagePool {
 public:
  using Page = std::shared_ptr<std::byte>;

  KvPagePool(const KvLayout& layout, int64_t max_pages);
  const KvLayout& layout() const { return layout_; }
  int64_t used_pages() const;
  int64_t max_pages() const { return max_pages_; }
  // Pages that Allocate would still give; a large number without a limit.
  int64_t free_pages() const;
  // Throws an Error when there is none.
  Page Allocate();

 private:
  struct Shared;
  KvLayout layout_;
  int64_t max_pages_;
  std::shared_ptr<Shared> shared_;
};

class KvSequence {
 public:
  explicit KvSequence(KvPagePool& pool) : pool_(&pool) {}
  // A sequence that begins with whole pages of others.
  KvSequence(KvPagePool& pool, std::vector<KvPagePool::Page> pages);

  int64_t length() const { return length_; }
  const KvLayout& layout() const { return pool_->layout(); }
  const std::vector<KvPagePool::Page>& pages() const { return pages_; }

  // Room for positions [length, length + count), owned by this sequence alone. Throws when the pool
  // is empty; the sequence is then as before.
  void Reserve(int64_t count);
  // After a forward pass wrote them.
  void Advance(int64_t count) { length_ += count; }
  // Forgets everything from `length` on.
  void Truncate(int64_t length);

 private:
  KvPagePool* pool_;
  std::vector<KvPagePool::Page> pages_;
  int64_t length_ = 0;
};

}  // namespace trit
