// Memory for weights, activations and sums: aligned, zeroed, on huge pages where the OS grants
// them.
//
// Huge pages matter to kernels that stream: on a Zen 4 with 4 KiB pages one core reads about a
// tenth less, and 2 MiB pages cost nothing where many tensors share them. Hence two allocators:
//   AllocateBlock  one block of its own; from 1 MiB on it begins on a 2 MiB boundary
//   Arena          many tensors one behind the other in big blocks, so that padding to 2 MiB is
//                  paid once a block and not once a tensor
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

namespace trit {

inline constexpr size_t kHugePageBytes = size_t{2} << 20;
inline constexpr size_t kMaxAlign = size_t{1} << 16;

// A zeroed block that lives as long as its last owner. `align` is a power of two up to kMaxAlign.
// Throws trit::Error naming the size when the OS has no memory, or for a size of zero.
std::shared_ptr<std::byte> AllocateBlock(uint64_t bytes, size_t align = 64);

class Arena {
 public:
  explicit Arena(uint64_t block_bytes = uint64_t{64} << 20) : block_bytes_(block_bytes) {}

  // A zeroed piece; keeps its block alive. Safe from several threads.
  std::shared_ptr<std::byte> Allocate(uint64_t bytes, size_t align = 64);

 private:
  std::mutex mutex_;
  const uint64_t block_bytes_;
  std::shared_ptr<std::byte> block_;
  uint64_t used_ = 0, capacity_ = 0;
};

}  // namespace trit
