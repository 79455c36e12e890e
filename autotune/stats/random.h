// Random numbers that are the same on every machine and with every standard library: a search, a
// bootstrap or a test is repeated exactly by its seed.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace trit {

// splitmix64: 64 bits of state, full period, passes BigCrush; nothing here needs more.
// -Wpedantic knows no 128-bit integers without this.
__extension__ typedef unsigned __int128 Wide;

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // Uniform in [0, 1).
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  // Uniform in [0, n), n > 0. The multiply's bias is below n / 2^64.
  size_t Below(size_t n) { return static_cast<size_t>((static_cast<Wide>(Next()) * n) >> 64); }

  // Standard normal (Box-Muller, one of the pair).
  double Normal() {
    const double u = 1.0 - Uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(6.283185307179586 * Uniform());
  }

  template <typename T>
  void Shuffle(std::vector<T>* items) {
    for (size_t i = items->size(); i > 1; --i) std::swap((*items)[i - 1], (*items)[Below(i)]);
  }

 private:
  uint64_t state_;
};

}  // namespace trit
