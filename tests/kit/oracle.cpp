#include "tests/kit/oracle.h"

namespace trit::kit {

std::vector<int32_t> Oracle(const Trits& weights, const Tokens& tokens) {
  std::vector<int32_t> y(size_t(tokens.m) * weights.n);
  for (int32_t m = 0; m < tokens.m; ++m) {
    for (int32_t n = 0; n < weights.n; ++n) {
      const int8_t* a = tokens.Row(m);
      const int8_t* w = weights.Row(n);
      int32_t sum = 0;
      for (int32_t i = 0; i < weights.k; ++i) sum += int32_t{a[i]} * int32_t{w[i]};
      y[size_t(m) * weights.n + n] = sum;
    }
  }
  return y;
}

std::string FillName(Fill fill) {
  switch (fill) {
    case Fill::kRandom:
      return "random";
    case Fill::kMaxPlus:
      return "all +127 against all +1";
    case Fill::kMaxMinus:
      return "all +127 against all -1";
    case Fill::kMinPlus:
      return "all -128 against all +1";
    case Fill::kMinMinus:
      return "all -128 against all -1";
    case Fill::kAlternating:
      return "alternating signs that all add up";
    case Fill::kImpulse:
      return "one token value and one weight a row";
    case Fill::kSparse:
      return "sparse";
  }
  return "?";
}

Trits MakeTrits(int32_t n, int32_t k, Fill fill, std::mt19937_64& random) {
  Trits t{n, k, std::vector<int8_t>(size_t(n) * k)};
  for (int32_t row = 0; row < n; ++row) {
    int8_t* w = t.w.data() + size_t(row) * k;
    const int32_t one = static_cast<int32_t>(random() % k);
    for (int32_t i = 0; i < k; ++i) {
      switch (fill) {
        case Fill::kRandom:
          w[i] = static_cast<int8_t>(int(random() >> 33) % 3 - 1);
          break;
        case Fill::kMaxPlus:
        case Fill::kMinPlus:
          w[i] = 1;
          break;
        case Fill::kMaxMinus:
        case Fill::kMinMinus:
          w[i] = -1;
          break;
        case Fill::kAlternating:
          w[i] = (i + row) % 2 == 0 ? 1 : -1;
          break;
        case Fill::kImpulse:
          w[i] = i == one ? (row % 2 == 0 ? 1 : -1) : 0;
          break;
        case Fill::kSparse:
          w[i] = random() % 16 == 0 ? (random() % 2 == 0 ? 1 : -1) : 0;
          break;
      }
    }
  }
  return t;
}

Tokens MakeTokens(int32_t m, int32_t k, Fill fill, std::mt19937_64& random) {
  Tokens t{m, k, std::vector<int8_t>(size_t(m) * k)};
  for (int32_t token = 0; token < m; ++token) {
    int8_t* a = t.a.data() + size_t(token) * k;
    const int32_t one = static_cast<int32_t>(random() % k);
    for (int32_t i = 0; i < k; ++i) {
      switch (fill) {
        case Fill::kRandom:
        case Fill::kSparse:
          a[i] = static_cast<int8_t>(random() >> 40);
          break;
        case Fill::kMaxPlus:
        case Fill::kMaxMinus:
          a[i] = 127;
          break;
        case Fill::kMinPlus:
        case Fill::kMinMinus:
          a[i] = -128;
          break;
        case Fill::kAlternating:
          a[i] = (i + token) % 2 == 0 ? 127 : -128;
          break;
        case Fill::kImpulse:
          a[i] = i == one ? 127 : 0;
          break;
      }
    }
  }
  return t;
}

}  // namespace trit::kit
