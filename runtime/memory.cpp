#include "runtime/memory.h"

#include <sys/mman.h>

#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "runtime/sizes.h"

namespace trit {
namespace {

// Below this a block comes from the heap: 4 KiB pages are enough for what stays in cache.
constexpr uint64_t kMapFrom = uint64_t{1} << 20;

void CheckRequest(uint64_t bytes, size_t align) {
  if (bytes == 0) throw Error("a block of memory of 0 bytes was asked for");
  if (!std::has_single_bit(align) || align > kMaxAlign) {
    throw Error(Join("memory alignment ", align, " is no power of two up to ", kMaxAlign));
  }
  if (bytes > (uint64_t{1} << 46)) {
    throw Error(Join("a block of ", bytes, " bytes is more than any machine has"));
  }
}

}  // namespace

std::shared_ptr<std::byte> AllocateBlock(uint64_t bytes, size_t align) {
  CheckRequest(bytes, align);
  if (bytes < kMapFrom) {
    const size_t step = align < 64 ? 64 : align;
    const size_t size = RoundUp(bytes, step);
    void* p = std::aligned_alloc(step, size);
    if (p == nullptr) throw Error(Join("the system has no ", size, " bytes of memory left"));
    std::memset(p, 0, size);
    return {static_cast<std::byte*>(p), [](std::byte* q) { std::free(q); }};
  }
  // Over-allocate by one huge page, then give the ends back: the block begins on a 2 MiB boundary.
  const size_t size = RoundUp(bytes, 4096);
  const size_t mapped = size + kHugePageBytes;
  void* raw = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) {
    throw Error(Join("the system gives no ", size, " bytes of memory: ", std::strerror(errno)));
  }
  std::byte* begin = static_cast<std::byte*>(raw);
  std::byte* aligned =
      reinterpret_cast<std::byte*>(RoundUp(reinterpret_cast<uintptr_t>(raw), kHugePageBytes));
  if (aligned != begin) munmap(begin, aligned - begin);
  const size_t tail = (begin + mapped) - (aligned + size);
  if (tail != 0) munmap(aligned + size, tail);
  // Advice only: a system without transparent huge pages runs on with small ones.
  (void)madvise(aligned, size, MADV_HUGEPAGE);
  return {aligned, [size](std::byte* q) { munmap(q, size); }};
}

std::shared_ptr<std::byte> Arena::Allocate(uint64_t bytes, size_t align) {
  CheckRequest(bytes, align);
  if (align < 64) align = 64;
  // A piece that would leave much of a block unused gets one of its own.
  if (bytes > block_bytes_ / 2) return AllocateBlock(bytes, align);
  std::lock_guard lock(mutex_);
  uint64_t begin = RoundUp(used_, align);
  if (block_ == nullptr || begin + bytes > capacity_) {
    block_ = AllocateBlock(block_bytes_, kMaxAlign);
    capacity_ = block_bytes_;
    begin = 0;
  }
  used_ = begin + bytes;
  return {block_, block_.get() + begin};
}

}  // namespace trit
