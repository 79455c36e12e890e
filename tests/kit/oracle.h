// The truth that every kernel is held against: the definition itself, in int32, and inputs that
// break what is nearly right. It shares no code with what it checks.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace trit::kit {

// Row-major matrices without gaps.
struct Trits {
  int32_t n, k;
  std::vector<int8_t> w;  // w[n * k + i] in {-1, 0, +1}
  const int8_t* Row(int32_t row) const { return w.data() + size_t(row) * k; }
};
struct Tokens {
  int32_t m, k;
  std::vector<int8_t> a;  // any int8
  const int8_t* Row(int32_t token) const { return a.data() + size_t(token) * k; }
};

// y[token * n + row], exact for every k below 2^24.
std::vector<int32_t> Oracle(const Trits& weights, const Tokens& tokens);

// Inputs by name. The extremes drive every narrow accumulator to its edge: all +1 against all +127,
// all -1 against all -128, and the mixed signs; an impulse shows a wrong order, and sparse weights
// a wrong zero.
enum class Fill {
  kRandom,
  kMaxPlus,
  kMaxMinus,
  kMinPlus,
  kMinMinus,
  kAlternating,
  kImpulse,
  kSparse
};
inline constexpr Fill kAllFills[] = {Fill::kRandom,  Fill::kMaxPlus,  Fill::kMaxMinus,
                                     Fill::kMinPlus, Fill::kMinMinus, Fill::kAlternating,
                                     Fill::kImpulse, Fill::kSparse};
std::string FillName(Fill fill);
Trits MakeTrits(int32_t n, int32_t k, Fill fill, std::mt19937_64& random);
Tokens MakeTokens(int32_t m, int32_t k, Fill fill, std::mt19937_64& random);

}  // namespace trit::kit
