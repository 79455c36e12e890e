// What is in the ternary tensors of a model, counted.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/source/model_source.h"

namespace trit {

struct TritCounts {
  int64_t minus = 0, zero = 0, plus = 0;
  int64_t zero_rows = 0;  // rows without a single non-zero trit
  int64_t total() const { return minus + zero + plus; }
};

struct TernaryStatistics {
  std::string name;
  std::string encoding;
  int64_t rows = 0, cols = 0;
  TritCounts counts;
  float scale_low = 0, scale_high = 0;
  size_t scales = 0;
};

struct ModelStatistics {
  std::vector<TernaryStatistics> tensors;
  TritCounts all;
  // FFN neurons whose gate row and up row are both zero: they can be left out without changing a
  // bit (the FFN sub-norm still divides by the full width).
  int64_t dead_neurons = 0, neurons = 0;
  // Ternary weights that go with them: their rows of gate and up, their columns of down.
  int64_t dead_weights = 0;
  std::vector<std::string> warnings;
};

// Reads every ternary tensor once, on `threads` threads.
ModelStatistics CountModel(const ModelSource& source, int threads);

}  // namespace trit
