// The int8 first look at a Q6_K head: its bound, the largest logit, and that nothing else counts.
#include "model/ops/screen.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "targets/base/error.h"

namespace trit::ops {
namespace {

constexpr int64_t kTokens = 15;  // turns of 8, 4, 2 and 1

// A head of random codes and scales, inputs with a few very large columns, as real networks have.
class ScreenTest : public testing::TestWithParam<std::pair<int64_t, int64_t>> {
 protected:
  void SetUp() override {
    std::tie(n_, k_) = GetParam();
    std::mt19937 engine(11);
    const int64_t row_bytes = k_ / 256 * 210;
    std::vector<uint8_t> file(static_cast<size_t>(n_ * row_bytes));
    for (auto& b : file) b = static_cast<uint8_t>(engine());
    for (size_t at = 208; at < file.size(); at += 210) {
      const auto half = static_cast<uint16_t>(0x1000 + engine() % 0x1000);
      std::memcpy(file.data() + at, &half, 2);
    }
    packed_.resize(DenseBytes(DenseType::kQ6_K, n_, k_));
    PackDenseRows(DenseType::kQ6_K, n_, k_, 0, n_, file.data(), packed_.data());
    view_ = {DenseType::kQ6_K, n_, k_, packed_.data()};
    std::normal_distribution<float> normal(0, 1);
    x_.resize(static_cast<size_t>(kTokens * k_));
    for (auto& v : x_) v = normal(engine) * (engine() % 200 == 0 ? 12.0f : 1.0f);
    std::fill_n(x_.begin(), 64, 0.0f);  // a block of nothing
    stride_ = (n_ + 15) / 16 * 16;
    input_ = DensePreparedFloats(DenseType::kQ6_K, k_);
    prepared_.resize(static_cast<size_t>(kTokens * input_));
    blocks_.resize(static_cast<size_t>(kScreenTokens * k_ / kScreenColumns));
    exact_.resize(static_cast<size_t>(kTokens * stride_));
    norm_ = LargestRowNorm(view_, 0, n_);
    for (int64_t t = 0; t < kTokens; ++t) {
      PrepareDenseInput(DenseType::kQ6_K, k_, x_.data() + t * k_, prepared_.data() + t * input_);
      bounds_.push_back(PrepareScreenInput(x_.data() + t * k_, k_, norm_, Blocks(t)));
    }
    MultiplyDense(view_, prepared_.data(), kTokens, 0, n_, exact_.data(), stride_);
  }
  ScreenBlock* Blocks(int64_t t) { return blocks_.data() + t; }
  std::vector<float> Screened() {
    std::vector<float> y(static_cast<size_t>(kTokens * stride_));
    MultiplyScreened(view_, blocks_.data(), kTokens, 0, n_, y.data(), stride_);
    return y;
  }

  int64_t n_ = 0, k_ = 0, stride_ = 0, input_ = 0;
  std::vector<uint8_t> packed_;
  DenseView view_;
  std::vector<float> x_, prepared_, exact_, bounds_;
  std::vector<ScreenBlock> blocks_;
  float norm_ = 0;
};

TEST_P(ScreenTest, TheNormIsThatOfTheLargestRow) {
  std::vector<float> row(static_cast<size_t>(k_));
  double largest = 0;
  for (int64_t r = 0; r < n_; ++r) {
    UnpackDenseRow(view_, r, row.data());
    double square = 0;
    for (const float v : row) square += static_cast<double>(v) * v;
    largest = std::max(largest, std::sqrt(square));
  }
  EXPECT_GE(norm_, largest);
  EXPECT_LE(norm_, largest * 1.001);
}

TEST_P(ScreenTest, LogitsAreWithinTheBoundAndNotExactByChance) {
  const std::vector<float> screened = Screened();
  bool differs = false;
  for (int64_t t = 0; t < kTokens; ++t) {
    ASSERT_GT(bounds_[static_cast<size_t>(t)], 0);
    for (int64_t r = 0; r < n_; ++r) {
      const auto at = static_cast<size_t>(t * stride_ + r);
      ASSERT_LE(std::fabs(screened[at] - exact_[at]), bounds_[static_cast<size_t>(t)])
          << "token " << t << " row " << r;
      differs |= screened[at] != exact_[at];
    }
  }
  EXPECT_TRUE(differs);
}

TEST_P(ScreenTest, ATokensLogitsAreTheSameAloneAndTogether) {
  const std::vector<float> together = Screened();
  std::vector<float> alone(static_cast<size_t>(stride_));
  for (int64_t t = 0; t < kTokens; ++t) {
    for (int64_t r = 0; r < n_; r += 16) {
      MultiplyScreened(view_, Blocks(t), 1, r, std::min(r + 16, n_), alone.data(), stride_);
    }
    ASSERT_EQ(std::memcmp(alone.data(), together.data() + t * stride_,
                          static_cast<size_t>(n_) * sizeof(float)),
              0);
  }
}

TEST_P(ScreenTest, TheLargestIsTheExactOne) {
  std::vector<float> y = Screened();
  int64_t all = 0;
  for (int64_t t = 0; t < kTokens; ++t) {
    float* row = y.data() + t * stride_;
    const float* exact = exact_.data() + t * stride_;
    const int64_t groups =
        RefineLargest(view_, prepared_.data() + t * input_, bounds_[static_cast<size_t>(t)], row);
    EXPECT_GE(groups, 1);
    const auto wanted = std::max_element(exact, exact + n_) - exact;
    ASSERT_EQ(std::max_element(row, row + n_) - row, wanted);
    EXPECT_EQ(row[wanted], exact[wanted]);
    all += groups;
  }
  if (n_ > 1000) {
    EXPECT_LT(all, kTokens * n_ / 16 / 2) << "the bound is too wide to save anything";
  }
}

TEST_P(ScreenTest, AWrongFirstLookIsCorrected) {
  std::vector<float> y = Screened();
  const float* exact = exact_.data();
  const auto best = std::max_element(exact, exact + n_) - exact;
  y[static_cast<size_t>(best)] += 0.9f * bounds_[0];  // as wrong as the bound allows
  RefineLargest(view_, prepared_.data(), bounds_[0], y.data());
  EXPECT_EQ(y[static_cast<size_t>(best)], exact[best]);
}

TEST_P(ScreenTest, InputsThatAreNoNumbersGiveTheDenseKernelsLogits) {
  for (const float bad : {std::nanf(""), HUGE_VALF}) {
    std::vector<float> x(x_.begin(), x_.begin() + k_);
    x[100] = bad;
    const float bound = PrepareScreenInput(x.data(), k_, norm_, Blocks(0));
    EXPECT_FALSE(bound < HUGE_VALF);
    std::vector<float> y = Screened(), wanted(static_cast<size_t>(stride_));
    PrepareDenseInput(DenseType::kQ6_K, k_, x.data(), prepared_.data());
    EXPECT_EQ(RefineLargest(view_, prepared_.data(), bound, y.data()), stride_ / 16);
    MultiplyDense(view_, prepared_.data(), 1, 0, n_, wanted.data(), stride_);
    EXPECT_EQ(std::memcmp(y.data(), wanted.data(), static_cast<size_t>(n_) * sizeof(float)), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ScreenTest,
                         testing::Values(std::pair<int64_t, int64_t>{16, 256},
                                         std::pair<int64_t, int64_t>{50, 768},
                                         std::pair<int64_t, int64_t>{3000, 2560}));

// Codes and scales at both ends against inputs of full size: the largest sums there are. A block is
// scaled so that 16 columns' sum fits 16 bits: all of one size, or one alone, or anything between.
TEST(Screen, ExtremesDoNotOverflow) {
  const int64_t n = 16, k = 512;
  for (const int code : {0, 63}) {
    for (const uint8_t scale : {0x80, 0x7f}) {
      std::vector<uint8_t> file(static_cast<size_t>(n * k / 256 * 210));
      for (size_t at = 0; at < file.size(); at += 210) {
        std::fill_n(file.begin() + static_cast<ptrdiff_t>(at), 192, code == 63 ? 0xff : 0);
        std::fill_n(file.begin() + static_cast<ptrdiff_t>(at) + 192, 16, scale);
        const uint16_t one = 0x3c00;
        std::memcpy(file.data() + at + 208, &one, 2);
      }
      std::vector<uint8_t> packed(DenseBytes(DenseType::kQ6_K, n, k));
      PackDenseRows(DenseType::kQ6_K, n, k, 0, n, file.data(), packed.data());
      const DenseView view{DenseType::kQ6_K, n, k, packed.data()};
      const double weight = static_cast<int8_t>(scale) * (code - 32);
      for (int large = 1; large <= 16; ++large) {  // of each 16 columns
        for (const float sign : {1.0f, -1.0f}) {
          std::vector<float> x(static_cast<size_t>(k));
          double sum = 0;
          for (size_t i = 0; i < x.size(); ++i) {
            x[i] = sign * (static_cast<int>(i % 16) < large ? 1000.0f : 0.5f);
            sum += x[i];
          }
          std::vector<ScreenBlock> blocks(static_cast<size_t>(k / kScreenColumns * kScreenTokens));
          const float bound =
              PrepareScreenInput(x.data(), k, LargestRowNorm(view, 0, n), blocks.data());
          for (int64_t b = 0; b < k / kScreenColumns; ++b) {
            for (int s = 0; s < 4; ++s) {
              int size = 0;
              for (int i = 0; i < 16; ++i) {
                size += std::abs(blocks[static_cast<size_t>(b * kScreenTokens)].q[16 * s + i]);
              }
              ASSERT_LE(size, 1023);
              ASSERT_GT(size, large < 8 ? 126 * large : 1000);  // and not smaller than it must be
            }
          }
          std::vector<float> y(16);
          MultiplyScreened(view, blocks.data(), 1, 0, n, y.data(), 16);
          for (const float v : y) ASSERT_NEAR(v, weight * sum, bound) << large << " of 16";
        }
      }
    }
  }
}

TEST(Screen, OtherTypesAreRefused) {
  EXPECT_FALSE(ScreenHasKernel(DenseType::kF16, 256));
  EXPECT_FALSE(ScreenHasKernel(DenseType::kQ6_K, 128));
  const DenseView view{DenseType::kF16, 16, 256, nullptr};
  EXPECT_THROW(MultiplyScreened(view, nullptr, 1, 0, 16, nullptr, 16), Error);
  const DenseView head{DenseType::kQ6_K, 16, 256, nullptr};
  EXPECT_THROW(MultiplyScreened(head, nullptr, kScreenTokens + 1, 0, 16, nullptr, 16), Error);
}

}  // namespace
}  // namespace trit::ops
