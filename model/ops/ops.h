// Element-wise and row-wise float operations between the matrix products.
//
// Order of float operations. Every function works on one token's row and on nothing else, so
// neither threads nor batch composition nor the cutting of a prefill can change a bit. Reductions
// run in kLanes virtual lanes (element i belongs to lane i mod kLanes), fused multiply-adds in
// ascending order inside a lane, and a halving tree over the lanes; that order is independent of
// the vector length, so AVX2, AVX-512 and NEON give the same bits. Only CPUs without fused
// multiply-add (before AVX2) differ, within the bounds that tests/ops states.
//
// Rows that are reduced are padded with zeros to a multiple of kLanes (PadRow): no tails.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace trit::ops {

inline constexpr int64_t kLanes = 64;
inline constexpr int64_t PadRow(int64_t n) {
  return (n + kLanes - 1) / kLanes * kLanes;
}

enum class Activation { kSquaredRelu, kSilu };

// y = x * w / sqrt(mean(x^2) + eps), the mean over `width` elements. n is a multiple of kLanes and
// may be smaller than width: elements left out count as zeros (dead neurons). y may be x.
void Norm(const float* x, const float* weight, int64_t n, int64_t width, float eps, float* y);

// The same, then s = 127 / max(max|y|, 1e-5) and q = clamp(round_half_even(y * s), -128, 127).
// Returns 1 / s as max(max|y|, 1e-5) / 127, the factor that undoes it.
float NormQuantize(const float* x, const float* weight, int64_t n, int64_t width, float eps,
                   int8_t* q);
// Without the norm.
float Quantize(const float* x, int64_t n, int8_t* q);

// y = scale * sums, and y += scale * sums (one rounding each where the CPU has fma). Any n.
void ScaleSums(const int32_t* sums, int64_t n, float scale, float* y);
void AddScaledSums(const int32_t* sums, int64_t n, float scale, float* y);

// y = act(gate_scale * gate) * (up_scale * up). Any n.
void GateSums(Activation act, const int32_t* gate, float gate_scale, const int32_t* up,
              float up_scale, int64_t n, float* y);

// The same for gate and up sums that lie in alternating runs of `block`: g0 .. gB-1, u0 .. uB-1,
// gB .. . n outputs; the last runs may be cut short.
void GatePairs(Activation act, const int32_t* pairs, int64_t block, float gate_scale,
               float up_scale, int64_t n, float* y);

// Rotates `heads` heads of head_dim (even) floats in place by the angles of one position:
// cos and sin hold head_dim / 2 values. kHalves pairs i with i + head_dim / 2 (NEOX, Hugging Face),
// kPairs pairs 2i with 2i + 1 (NORM, permuted GGUF llama files).
enum class RopeOrder { kHalves, kPairs };
void Rope(RopeOrder order, float* x, int64_t heads, int64_t head_dim, const float* cos,
          const float* sin);

// Index of the largest value; the first one on a tie. n >= 1.
int64_t ArgMax(const float* x, int64_t n);
// max(x) + log(sum exp(x - max)), in double.
double LogSumExp(const float* x, int64_t n);
// y = exp(x - shift) in float32, within 2 ulp; results below the smallest normal number are 0.
void ExpShifted(const float* x, float shift, int64_t n, float* y);

// The vector target in use ("AVX3", "AVX2", "NEON", ...), and the way to forbid better ones:
// "native", "avx512", "avx2", "sse4", "neon", "scalar". Not while another thread computes. An
// unknown name is an Error that lists these.
std::string VectorTarget();
void LimitVectorTarget(const std::string& name);

}  // namespace trit::ops
