#include "tests/formats/allocations.h"

#include <cstdlib>
#include <new>

namespace trit::test {

std::atomic<size_t>& LargestAllocation() {
  static std::atomic<size_t> largest{0};
  return largest;
}

}  // namespace trit::test

void* operator new(size_t size) {
  std::atomic<size_t>& largest = trit::test::LargestAllocation();
  size_t seen = largest;
  while (size > seen && !largest.compare_exchange_weak(seen, size)) {
  }
  if (void* at = std::malloc(size)) return at;
  throw std::bad_alloc();
}
void operator delete(void* at) noexcept {
  std::free(at);
}
void operator delete(void* at, size_t) noexcept {
  std::free(at);
}
