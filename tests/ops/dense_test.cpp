// Dense head kernels against double precision, every type, every cut of rows and tokens.
#include "model/ops/dense.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace trit::ops {
namespace {

// Random bytes with scales that are sane halves.
std::vector<uint8_t> FileRows(DenseType type, int64_t n, int64_t k, uint32_t seed) {
  std::mt19937 engine(seed);
  const auto half = [&](uint8_t* p) {
    const auto bits = static_cast<uint16_t>(0x1c00 + engine() % 0x1000);  // 2^-8 .. 2^-4
    const uint16_t value = static_cast<uint16_t>(bits | (engine() & 1 ? 0x8000 : 0));
    std::memcpy(p, &value, 2);
  };
  int64_t row_bytes = 0, block = 0;
  switch (type) {
    case DenseType::kF32:
      row_bytes = 4 * k;
      break;
    case DenseType::kF16:
    case DenseType::kBF16:
      row_bytes = 2 * k;
      break;
    case DenseType::kQ8_0:
      row_bytes = k / 32 * (block = 34);
      break;
    case DenseType::kQ4_0:
      row_bytes = k / 32 * (block = 18);
      break;
    default:
      row_bytes = k / 256 * (block = 210);
      break;
  }
  std::vector<uint8_t> rows(static_cast<size_t>(n * row_bytes));
  for (auto& b : rows) b = static_cast<uint8_t>(engine());
  if (type == DenseType::kF32 || type == DenseType::kBF16) {
    std::normal_distribution<float> normal(0, 1);
    for (int64_t i = 0; i < n * k; ++i) {
      const float f = normal(engine);
      if (type == DenseType::kF32) {
        std::memcpy(rows.data() + 4 * i, &f, 4);
      } else {
        std::memcpy(rows.data() + 2 * i, reinterpret_cast<const uint8_t*>(&f) + 2, 2);
      }
    }
  } else if (type == DenseType::kF16) {
    for (int64_t i = 0; i < n * k; ++i) half(rows.data() + 2 * i);
  } else {
    for (size_t at = 0; at < rows.size(); at += static_cast<size_t>(block)) {
      half(rows.data() + at + (type == DenseType::kQ6_K ? 208 : 0));
    }
  }
  return rows;
}

double HalfValue(const uint8_t* p) {
  uint16_t h;
  std::memcpy(&h, p, 2);
  const double m = std::ldexp(1024 + (h & 1023), (h >> 10 & 31) - 25);
  return h & 0x8000 ? -m : m;
}

// The published formula of each type, from a file's row.
double Weight(DenseType type, const uint8_t* row, int64_t c) {
  switch (type) {
    case DenseType::kF32: {
      float f;
      std::memcpy(&f, row + 4 * c, 4);
      return f;
    }
    case DenseType::kBF16: {
      float f = 0;
      std::memcpy(reinterpret_cast<uint8_t*>(&f) + 2, row + 2 * c, 2);
      return f;
    }
    case DenseType::kF16:
      return HalfValue(row + 2 * c);
    case DenseType::kQ8_0: {
      const uint8_t* b = row + c / 32 * 34;
      return HalfValue(b) * static_cast<int8_t>(b[2 + c % 32]);
    }
    case DenseType::kQ4_0: {
      const uint8_t* b = row + c / 32 * 18;
      const int64_t i = c % 32;
      return HalfValue(b) * ((i < 16 ? b[2 + i] & 15 : b[2 + i - 16] >> 4) - 8);
    }
    default: {
      const uint8_t* b = row + c / 256 * 210;
      const int64_t i = c % 256, half = i / 128, quarter = i % 128 / 32, l = i % 32;
      const int low = b[half * 64 + (quarter % 2) * 32 + l] >> (quarter / 2 * 4) & 15;
      const int high = b[128 + half * 32 + l] >> (2 * quarter) & 3;
      return HalfValue(b + 208) * static_cast<int8_t>(b[192 + i / 16]) * ((low | high << 4) - 32);
    }
  }
}

struct Case {
  DenseType type;
  const char* name;
  int64_t n, k;
};

class DenseTest : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    const Case& c = GetParam();
    file_ = FileRows(c.type, c.n, c.k, 17);
    row_bytes_ = static_cast<int64_t>(file_.size()) / c.n;
    packed_.assign(DenseBytes(c.type, c.n, c.k), 0xee);
    const int64_t middle = c.n / 32 * 16;  // in two pieces
    PackDenseRows(c.type, c.n, c.k, 0, middle, file_.data(), packed_.data());
    PackDenseRows(c.type, c.n, c.k, middle, c.n, file_.data() + middle * row_bytes_,
                  packed_.data());
    view_ = {c.type, c.n, c.k, packed_.data()};
    std::mt19937 engine(4);
    std::normal_distribution<float> normal(0, 1);
    x_.resize(static_cast<size_t>(kTokens * c.k));
    for (auto& v : x_) v = normal(engine);
    stride_ = DensePreparedFloats(c.type, c.k);
    prepared_.resize(static_cast<size_t>(kTokens * stride_));
    for (int64_t t = 0; t < kTokens; ++t) {
      PrepareDenseInput(c.type, c.k, x_.data() + t * c.k, prepared_.data() + t * stride_);
    }
  }

  static constexpr int64_t kTokens = 7;
  std::vector<uint8_t> file_, packed_;
  int64_t row_bytes_ = 0, stride_ = 0;
  DenseView view_;
  std::vector<float> x_, prepared_;
};

TEST_P(DenseTest, RowsComeBackAsTheFormulaSays) {
  const Case& c = GetParam();
  std::vector<float> row(static_cast<size_t>(c.k));
  for (int64_t n = 0; n < c.n; ++n) {
    UnpackDenseRow(view_, n, row.data());
    for (int64_t k = 0; k < c.k; ++k) {
      const double wanted = Weight(c.type, file_.data() + n * row_bytes_, k);
      ASSERT_EQ(row[static_cast<size_t>(k)], static_cast<float>(wanted)) << n << " " << k;
    }
  }
}

TEST_P(DenseTest, ProductsAgreeWithDoublePrecision) {
  const Case& c = GetParam();
  const int64_t stride = (c.n + 15) / 16 * 16;
  std::vector<float> y(static_cast<size_t>(kTokens * stride));
  MultiplyDense(view_, prepared_.data(), kTokens, 0, c.n, y.data(), stride);
  // Interleaved types sum codes with their offset apart, so each weight counts with the code's
  // whole range (63, 15) and not with its own size.
  for (int64_t t = 0; t < kTokens; ++t) {
    for (int64_t n = 0; n < c.n; ++n) {
      double wanted = 0, size = 0;
      for (int64_t k = 0; k < c.k; ++k) {
        const double w = Weight(c.type, file_.data() + n * row_bytes_, k);
        const double x = x_[static_cast<size_t>(t * c.k + k)];
        wanted += w * x;
        double largest = std::fabs(w);
        const uint8_t* row = file_.data() + n * row_bytes_;
        if (c.type == DenseType::kQ6_K) {
          const uint8_t* b = row + k / 256 * 210;
          largest = std::fabs(HalfValue(b + 208) * static_cast<int8_t>(b[192 + k % 256 / 16])) * 96;
        } else if (c.type == DenseType::kQ4_0) {
          largest = std::fabs(HalfValue(row + k / 32 * 18)) * 24;
        }
        size += largest * std::fabs(x);
      }
      const double terms = c.type == DenseType::kQ6_K   ? 17.0 + 17 + static_cast<double>(c.k) / 16
                           : c.type == DenseType::kQ4_0 ? 33.0 + 33 + static_cast<double>(c.k) / 32
                                                        : static_cast<double>(c.k) / 32 + 8;
      ASSERT_NEAR(y[static_cast<size_t>(t * stride + n)], wanted, terms / (1 << 24) * size)
          << "row " << n << " token " << t;
    }
  }
}

TEST_P(DenseTest, CutsKeepEveryBit) {
  const Case& c = GetParam();
  const int64_t stride = (c.n + 15) / 16 * 16;
  std::vector<float> whole(static_cast<size_t>(kTokens * stride)), part(whole.size());
  MultiplyDense(view_, prepared_.data(), kTokens, 0, c.n, whole.data(), stride);
  for (int64_t t = 0; t < kTokens; ++t) {
    for (int64_t n = 0; n < c.n; n += 16) {
      MultiplyDense(view_, prepared_.data() + t * stride_, 1, n, std::min(n + 16, c.n),
                    part.data() + t * stride, stride);
    }
  }
  for (int64_t t = 0; t < kTokens; ++t) {
    ASSERT_EQ(std::memcmp(whole.data() + t * stride, part.data() + t * stride,
                          static_cast<size_t>(c.n) * 4),
              0);
  }
}

INSTANTIATE_TEST_SUITE_P(Types, DenseTest,
                         testing::Values(Case{DenseType::kF32, "f32", 37, 100},
                                         Case{DenseType::kF16, "f16", 53, 2560},
                                         Case{DenseType::kF16, "f16_odd", 3, 45},
                                         Case{DenseType::kBF16, "bf16", 33, 640},
                                         Case{DenseType::kQ8_0, "q8_0", 41, 1536},
                                         Case{DenseType::kQ6_K, "q6_k", 50, 2560},
                                         Case{DenseType::kQ6_K, "q6_k_small", 16, 256},
                                         Case{DenseType::kQ4_0, "q4_0", 35, 2560},
                                         Case{DenseType::kQ4_0, "q4_0_small", 1, 32}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Dense, TypesWithoutAKernelAreRefused) {
  EXPECT_FALSE(DenseTypeHasKernel(DenseType::kQ6_K, 128));
  EXPECT_THROW(DenseBytes(DenseType::kQ4_K, 16, 256), std::exception);
}

}  // namespace
}  // namespace trit::ops
