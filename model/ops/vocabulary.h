// Passes over one token's logits, for sampling. Sums run in a fixed order (16 virtual lanes a
// piece, pieces in double), so a seed gives the same token whatever the vector length.
#pragma once

#include <cstdint>
#include <vector>

namespace trit::ops {

// True when a value is not a number or +inf.
bool HasNanOrInfinity(const float* x, int64_t n);

// Indices of values >= floor, ascending, appended.
void CollectAtLeast(const float* x, int64_t n, float floor, std::vector<int32_t>* indices);

inline constexpr int64_t kWeightPiece = 1024;
// sums[i] = sum of exp((x - top) / temperature) over the i-th piece of 1024 values, those below
// `floor` left out. top is the largest value, temperature > 0. Returns the sum of all.
double SumWeights(const float* x, int64_t n, float top, float temperature, float floor,
                  std::vector<double>* sums);
// The weights of count <= 1024 values, as SumWeights adds them up.
void Weights(const float* x, int64_t count, float top, float temperature, float floor,
             float* weights);

}  // namespace trit::ops
