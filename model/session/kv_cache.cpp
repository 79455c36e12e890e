#include "model/session/kv_cache.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "runtime/memory.h"
#include "targets/base/error.h"

namespace trit {

struct KvPagePool::Shared {
  std::mutex mutex;
  std::vector<std::shared_ptr<std::byte>> free;
  int64_t used = 0;
};

KvPagePool::KvPagePool(const KvLayout& layout, int64_t max_pages)
    : layout_(layout), max_pages_(max_pages), shared_(std::make_shared<Shared>()) {}

int64_t KvPagePool::used_pages() const {
  std::lock_guard lock(shared_->mutex);
  return shared_->used;
}

int64_t KvPagePool::free_pages() const {
  return max_pages_ == 0 ? INT64_MAX : max_pages_ - used_pages();
}

KvPagePool::Page KvPagePool::Allocate() {
  std::shared_ptr<std::byte> memory;
  {
    std::lock_guard lock(shared_->mutex);
    if (max_pages_ != 0 && shared_->used >= max_pages_) {
      throw Error(Join("the KV cache is full: all ", max_pages_, " pages of ", ops::kKvPositions,
                       " positions are in use"));
    }
    if (!shared_->free.empty()) {
      memory = std::move(shared_->free.back());
      shared_->free.pop_back();
    }
    ++shared_->used;
  }
  if (memory == nullptr) {
    try {
      memory = AllocateBlock(layout_.page_bytes());
    } catch (...) {
      std::lock_guard lock(shared_->mutex);
      --shared_->used;
      throw;
    }
  } else {
    std::memset(memory.get(), 0, layout_.page_bytes());
  }
  std::byte* data = memory.get();
  return {data, [shared = shared_, memory = std::move(memory)](std::byte*) mutable {
            std::lock_guard lock(shared->mutex);
            --shared->used;
            shared->free.push_back(std::move(memory));
          }};
}

KvSequence::KvSequence(KvPagePool& pool, std::vector<KvPagePool::Page> pages)
    : pool_(&pool),
      pages_(std::move(pages)),
      length_(static_cast<int64_t>(pages_.size()) * ops::kKvPositions) {}

void KvSequence::Reserve(int64_t count) {
  const int64_t positions = ops::kKvPositions;
  const auto needed = static_cast<size_t>((length_ + count + positions - 1) / positions);
  const auto first = static_cast<size_t>(length_ / positions);  // the page to be written next
  std::vector<KvPagePool::Page> pages = pages_;
  if (first < pages.size() && first < needed && pages_[first].use_count() > 2) {
    // `pages` and pages_ hold one reference each; more means that another sequence reads it.
    auto own = pool_->Allocate();
    std::memcpy(own.get(), pages[first].get(), pool_->layout().page_bytes());
    pages[first] = std::move(own);
  }
  while (pages.size() < needed) pages.push_back(pool_->Allocate());
  pages_ = std::move(pages);
}

void KvSequence::Truncate(int64_t length) {
  length_ = std::min(length_, length);
  pages_.resize(static_cast<size_t>((length_ + ops::kKvPositions - 1) / ops::kKvPositions));
}

}  // namespace trit
