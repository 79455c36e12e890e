// Element-wise operations against double-precision formulas, with bounds derived from float32's
// unit roundoff u = 2^-24: a sum of n terms in L lanes has a relative error below (n / L + log2 L)
// u.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "model/ops/ops.h"

namespace trit::ops {
namespace {

constexpr double kRoundoff = 1.0 / (1 << 24);

std::vector<float> Random(int64_t n, uint32_t seed, float scale = 1.0f) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(static_cast<size_t>(PadRow(n)), 0.0f);
  for (int64_t i = 0; i < n; ++i) values[static_cast<size_t>(i)] = normal(engine);
  return values;
}

std::vector<double> NormReference(const std::vector<float>& x, const std::vector<float>& w,
                                  int64_t width, double eps) {
  double sum = 0;
  for (const float v : x) sum += static_cast<double>(v) * v;
  const double r = 1.0 / std::sqrt(sum / static_cast<double>(width) + eps);
  std::vector<double> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = static_cast<double>(x[i]) * r * w[i];
  return y;
}

class NormTest : public testing::TestWithParam<int64_t> {};

TEST_P(NormTest, AgreesWithDoublePrecision) {
  const int64_t n = GetParam();
  const auto x = Random(n, 1, 3.0f), w = Random(n, 2);
  const auto wanted = NormReference(x, w, n, 1e-5f);
  std::vector<float> y(x.size());
  Norm(x.data(), w.data(), PadRow(n), n, 1e-5f, y.data());
  const double relative = (static_cast<double>(n) / 64 / 2 + 3 + 6) * kRoundoff;
  for (size_t i = 0; i < y.size(); ++i) {
    ASSERT_NEAR(y[i], wanted[i], relative * std::fabs(wanted[i])) << i;
  }
}

TEST_P(NormTest, QuantizesTheNorm) {
  const int64_t n = GetParam();
  const auto x = Random(n, 3, 0.1f), w = Random(n, 4);
  const auto wanted = NormReference(x, w, n, 1e-5f);
  double largest = 1e-5;
  for (const double v : wanted) largest = std::max(largest, std::fabs(v));
  std::vector<int8_t> q(x.size(), 77);
  const float inverse = NormQuantize(x.data(), w.data(), PadRow(n), n, 1e-5f, q.data());
  const double relative = (static_cast<double>(n) / 64 / 2 + 12) * kRoundoff;
  EXPECT_NEAR(inverse, largest / 127, 2 * relative * largest / 127);
  int at_limit = 0;
  for (size_t i = 0; i < q.size(); ++i) {
    const double exact = wanted[i] * 127 / largest;
    ASSERT_LE(std::fabs(q[i] - exact), 0.5 + 3 * relative * 127) << i;
    at_limit += std::abs(q[i]) == 127;
  }
  EXPECT_GE(at_limit, 1);
}

TEST_P(NormTest, ZerosLeftOutChangeNothing) {
  // Dead neurons: dropping trailing zeros keeps every bit as long as the width is the full one.
  const int64_t n = GetParam();
  auto x = Random(n, 5), w = Random(n, 6);
  const int64_t live = PadRow(n / 2);
  for (int64_t i = n / 2; i < PadRow(n); ++i) x[static_cast<size_t>(i)] = 0;
  std::vector<int8_t> full(x.size()), part(x.size());
  const float a = NormQuantize(x.data(), w.data(), PadRow(n), n, 1e-5f, full.data());
  const float b = NormQuantize(x.data(), w.data(), live, n, 1e-5f, part.data());
  EXPECT_EQ(a, b);
  EXPECT_TRUE(std::equal(full.begin(), full.begin() + live, part.begin()));
}

INSTANTIATE_TEST_SUITE_P(Widths, NormTest,
                         testing::Values(1, 64, 100, 640, 1536, 2560, 3200, 6912, 8640));

TEST(Quantize, RoundsHalvesToEvenAndHoldsTheRange) {
  std::vector<float> x(64, 0.0f);
  x[0] = 127.0f;  // s = 1
  x[1] = 0.5f, x[2] = 1.5f, x[3] = 2.5f, x[4] = -0.5f, x[5] = -1.5f, x[6] = -127.0f;
  std::vector<int8_t> q(64);
  EXPECT_EQ(Quantize(x.data(), 64, q.data()), 1.0f);
  const int8_t wanted[] = {127, 0, 2, 2, 0, -2, -127, 0};
  EXPECT_TRUE(std::equal(std::begin(wanted), std::end(wanted), q.begin()));
}

TEST(Quantize, ZerosStayZeros) {
  const std::vector<float> x(128, 0.0f);
  std::vector<int8_t> q(128, 9);
  EXPECT_EQ(Quantize(x.data(), 128, q.data()), 1e-5f / 127.0f);
  EXPECT_EQ(q, std::vector<int8_t>(128, 0));
}

TEST(Sums, ScaleAndAdd) {
  for (const int64_t n : {1, 7, 16, 37, 300}) {
    std::mt19937 engine(static_cast<uint32_t>(n));
    std::vector<int32_t> sums(static_cast<size_t>(n));
    for (auto& s : sums) s = static_cast<int32_t>(engine() % 2000001) - 1000000;
    auto base = Random(n, 8);
    auto y = base;
    AddScaledSums(sums.data(), n, 1.7e-4f, y.data());
    std::vector<float> z(static_cast<size_t>(n) + 1, 42.0f);
    ScaleSums(sums.data(), n, 1.7e-4f, z.data());
    for (size_t i = 0; i < sums.size(); ++i) {
      const double product = static_cast<double>(sums[i]) * 1.7e-4f;
      ASSERT_EQ(z[i], static_cast<float>(product));
      ASSERT_NEAR(y[i], base[i] + product,
                  kRoundoff * (std::fabs(product) + std::fabs(base[i] + product)));
    }
    EXPECT_EQ(z[static_cast<size_t>(n)], 42.0f);
  }
}

TEST(Gate, BothActivations) {
  const int64_t n = 333;
  std::vector<int32_t> gate(n), up(n);
  std::mt19937 engine(11);
  for (auto& s : gate) s = static_cast<int32_t>(engine() % 400001) - 200000;
  for (auto& s : up) s = static_cast<int32_t>(engine() % 400001) - 200000;
  gate[0] = 0;
  gate[1] = std::numeric_limits<int32_t>::min() / 2;  // silu must not overflow
  for (const Activation act : {Activation::kSquaredRelu, Activation::kSilu}) {
    std::vector<float> y(n);
    GateSums(act, gate.data(), 1e-3f, up.data(), 3e-4f, n, y.data());
    for (size_t i = 0; i < y.size(); ++i) {
      const double g = static_cast<double>(gate[i]) * 1e-3f;
      const double u = static_cast<double>(up[i]) * 3e-4f;
      const double a = act == Activation::kSilu ? g / (1 + std::exp(-g)) : g > 0 ? g * g : 0;
      // silu: exp's argument carries u |g| of error, so the factor does too; below -88 the result
      // is not smaller than g u e^-88.
      ASSERT_NEAR(y[i], a * u,
                  (12 + 2 * std::fabs(g)) * kRoundoff * std::fabs(a * u) +
                      (g < -80 ? 1e-35 * std::fabs(g * u) : 0))
          << i << " " << g;
    }
  }
}

TEST(Gate, PairsEqualSeparateRows) {
  for (const int64_t block : {5, 16, 48, 64}) {
    const int64_t n = 150, blocks = (n + block - 1) / block;
    std::vector<int32_t> pairs(static_cast<size_t>(2 * block * blocks)), gate(n), up(n);
    std::mt19937 engine(3);
    for (auto& v : pairs) v = static_cast<int32_t>(engine() % 20001) - 10000;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t at = i / block * 2 * block + i % block;
      gate[static_cast<size_t>(i)] = pairs[static_cast<size_t>(at)];
      up[static_cast<size_t>(i)] = pairs[static_cast<size_t>(at + block)];
    }
    for (const Activation act : {Activation::kSquaredRelu, Activation::kSilu}) {
      std::vector<float> a(n), b(n);
      GateSums(act, gate.data(), 1e-3f, up.data(), 3e-4f, n, a.data());
      GatePairs(act, pairs.data(), block, 1e-3f, 3e-4f, n, b.data());
      EXPECT_EQ(a, b) << block;
    }
  }
}

class RopeTest : public testing::TestWithParam<int> {};

TEST_P(RopeTest, RotatesBothOrders) {
  const int head_dim = GetParam(), half = head_dim / 2, heads = 3;
  std::vector<float> cos(static_cast<size_t>(half)), sin(cos);
  for (int i = 0; i < half; ++i) {
    const double angle = 1234.0 * std::pow(500000.0, -2.0 * i / head_dim);
    cos[static_cast<size_t>(i)] = static_cast<float>(std::cos(angle));
    sin[static_cast<size_t>(i)] = static_cast<float>(std::sin(angle));
  }
  const auto x = Random(heads * head_dim, 21);
  for (const RopeOrder order : {RopeOrder::kHalves, RopeOrder::kPairs}) {
    auto y = x;
    Rope(order, y.data(), heads, head_dim, cos.data(), sin.data());
    for (int h = 0; h < heads; ++h) {
      for (int i = 0; i < half; ++i) {
        const int a = h * head_dim + (order == RopeOrder::kHalves ? i : 2 * i);
        const int b = order == RopeOrder::kHalves ? a + half : a + 1;
        const double xa = x[static_cast<size_t>(a)], xb = x[static_cast<size_t>(b)];
        const double c = cos[static_cast<size_t>(i)], s = sin[static_cast<size_t>(i)];
        const double bound = 2 * kRoundoff * (std::fabs(xa) + std::fabs(xb));
        ASSERT_NEAR(y[static_cast<size_t>(a)], xa * c - xb * s, bound);
        ASSERT_NEAR(y[static_cast<size_t>(b)], xb * c + xa * s, bound);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(HeadDims, RopeTest, testing::Values(2, 16, 64, 100, 128, 256));

TEST(Exp, WithinTwoUlpAndExactAtZero) {
  std::vector<float> x, y;
  for (float v = -87.0f; v <= 0.0f; v += 0.00731f) x.push_back(v);
  x.push_back(0.0f);
  x.push_back(-1000.0f);
  y.resize(x.size());
  ExpShifted(x.data(), 0.0f, static_cast<int64_t>(x.size()), y.data());
  for (size_t i = 0; i + 2 < x.size(); ++i) {
    const double wanted = std::exp(static_cast<double>(x[i]));
    ASSERT_NEAR(y[i], wanted, 2 * wanted / (1 << 23)) << x[i];
  }
  EXPECT_EQ(y[x.size() - 2], 1.0f);
  EXPECT_EQ(y.back(), 0.0f);
}

TEST(Reductions, ArgMaxAndLogSumExp) {
  auto x = Random(5001, 31, 4.0f);
  x.resize(5001);
  x[17] = x[4000] = 100.0f;
  EXPECT_EQ(ArgMax(x.data(), 5001), 17);
  x[17] = x[4000] = 3.0f;
  double sum = 0;
  for (const float v : x) sum += std::exp(static_cast<double>(v));
  EXPECT_NEAR(LogSumExp(x.data(), 5001), std::log(sum), 1e-6);
}

TEST(VectorTarget, UnknownNamesAreRefused) {
  EXPECT_THROW(LimitVectorTarget("quantum"), std::exception);
  EXPECT_FALSE(VectorTarget().empty());
}

}  // namespace
}  // namespace trit::ops
