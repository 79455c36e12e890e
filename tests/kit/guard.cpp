#include "tests/kit/guard.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "runtime/sizes.h"

namespace trit::kit {
namespace {

constexpr uint8_t kCanary = 0xc3;

}  // namespace

Guarded::Guarded(uint64_t bytes, size_t align, Side side, uint8_t pattern) : bytes_(bytes) {
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const uint64_t step = align > page ? align : page;
  inner_bytes_ = RoundUp(bytes + align, step);
  map_bytes_ = inner_bytes_ + 2 * step;
  void* map = mmap(nullptr, map_bytes_ + step, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (map == MAP_FAILED) throw Error(Join("no ", map_bytes_, " bytes for a guarded buffer"));
  map_ = static_cast<uint8_t*>(map);
  inner_ = reinterpret_cast<uint8_t*>(RoundUp(reinterpret_cast<uintptr_t>(map_) + step, step));
  map_bytes_ += step;
  if (mprotect(inner_, inner_bytes_, PROT_READ | PROT_WRITE) != 0) {
    throw Error("cannot open the pages of a guarded buffer");
  }
  std::memset(inner_, kCanary, inner_bytes_);
  data_ = side == kBegin ? inner_ : inner_ + (inner_bytes_ - bytes) / align * align;
  Set(pattern);
}

Guarded::~Guarded() {
  munmap(map_, map_bytes_);
}

void Guarded::Set(uint8_t pattern) {
  std::memset(data_, pattern, bytes_);
}

void Guarded::ReadOnly() {
  mprotect(inner_, inner_bytes_, PROT_READ);
}

bool Guarded::CanaryIntact() const {
  for (const uint8_t* p = inner_; p != data_; ++p) {
    if (*p != kCanary) return false;
  }
  for (const uint8_t* p = data_ + bytes_; p != inner_ + inner_bytes_; ++p) {
    if (*p != kCanary) return false;
  }
  return true;
}

}  // namespace trit::kit
