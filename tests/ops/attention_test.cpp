// Attention against a two-pass softmax in double precision over the very values the cache holds,
// and equality of bits between one token at a time and any batch.
#include "model/ops/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

namespace trit::ops {
namespace {

struct Cache {
  KvBlockShape shape;
  std::vector<std::vector<uint8_t>> storage;
  std::vector<const void*> blocks;

  Cache(KvType type, int head_dim, int positions, uint32_t seed) : shape{type, head_dim} {
    std::mt19937 engine(seed);
    std::normal_distribution<float> normal(0, 1);
    std::vector<float> key(static_cast<size_t>(head_dim)), value(key);
    for (int p = 0; p < positions; ++p) {
      if (p % kKvPositions == 0) storage.emplace_back(shape.bytes() + 64);
      for (auto& v : key) v = normal(engine);
      for (auto& v : value) v = normal(engine);
      WriteKv(shape, Aligned(storage.back()), p % kKvPositions, key.data(), value.data());
    }
    for (auto& s : storage) blocks.push_back(Aligned(s));
  }
  static uint8_t* Aligned(std::vector<uint8_t>& bytes) {
    const auto at = reinterpret_cast<uintptr_t>(bytes.data());
    return bytes.data() + ((at + 63) / 64 * 64 - at);
  }

  static double Half(const uint8_t* p) {
    uint16_t h;
    std::memcpy(&h, p, 2);
    const int e = h >> 10 & 31;
    const double m = e ? std::ldexp(1024 + (h & 1023), e - 25) : std::ldexp(h & 1023, -24);
    return h & 0x8000 ? -m : m;
  }
  double Number(const uint8_t* base, int index) const {
    switch (shape.type) {
      case KvType::kF32: {
        float f;
        std::memcpy(&f, base + 4 * index, 4);
        return f;
      }
      case KvType::kF16:
        return Half(base + 2 * index);
      default:
        return static_cast<int8_t>(base[index]);
    }
  }
  double Scale(int p, bool value) const {
    if (shape.type != KvType::kInt8) return 1;
    float f;
    std::memcpy(&f,
                static_cast<const uint8_t*>(blocks[static_cast<size_t>(p / 64)]) +
                    shape.scales_offset() + 4 * (p % 64 + (value ? 64 : 0)),
                4);
    return f;
  }
  double Key(int p, int d) const {
    const auto* base = static_cast<const uint8_t*>(blocks[static_cast<size_t>(p / 64)]);
    return Number(base, d * 64 + p % 64) * Scale(p, false);
  }
  double Value(int p, int d) const {
    const auto* base = static_cast<const uint8_t*>(blocks[static_cast<size_t>(p / 64)]);
    return Number(base + shape.values_offset(), p % 64 * shape.dim_padded() + d) * Scale(p, true);
  }
};

std::vector<float> Attend(const Cache& cache, const std::vector<float>& q, int tokens, int heads,
                          int first) {
  const int row = heads * cache.shape.head_dim;
  std::vector<float> out(static_cast<size_t>(tokens * row), -1.0f);
  std::vector<float> scratch(AttentionScratchFloats(cache.shape, tokens * heads), 7.0f);
  Attention({cache.shape, cache.blocks.data(), 0, q.data(), row, tokens, heads, first, out.data(),
             row, scratch.data()});
  return out;
}

std::vector<float> Queries(int n, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, 0.3f);
  std::vector<float> q(static_cast<size_t>(n));
  for (auto& v : q) v = normal(engine);
  return q;
}

struct Case {
  KvType type;
  int head_dim, heads, tokens, first;
};

class AttentionTest : public testing::TestWithParam<Case> {};

TEST_P(AttentionTest, AgreesWithDoublePrecision) {
  const Case c = GetParam();
  const Cache cache(c.type, c.head_dim, c.first + c.tokens, 5);
  const auto q = Queries(c.tokens * c.heads * c.head_dim, 6);
  const auto out = Attend(cache, q, c.tokens, c.heads, c.first);
  for (int t = 0; t < c.tokens; ++t) {
    for (int h = 0; h < c.heads; ++h) {
      const float* query = q.data() + (t * c.heads + h) * c.head_dim;
      std::vector<double> p(static_cast<size_t>(c.first + t + 1));
      double best = -1e300, total = 0, size = 0;
      for (size_t i = 0; i < p.size(); ++i) {
        double s = 0, absolute = 0;
        for (int d = 0; d < c.head_dim; ++d) {
          const double term = query[d] * cache.Key(static_cast<int>(i), d);
          s += term;
          absolute += std::fabs(term);
        }
        p[i] = s;
        best = std::max(best, s);
        size = std::max(size, absolute);
      }
      for (auto& s : p) total += s = std::exp(s - best);
      // A score is off by at most head_dim u sum|q k|; probabilities relatively by twice that
      // (their own and the denominator's); the sums over n positions add (n + 64 rescalings) u at
      // worst.
      const double u = 1.0 / (1 << 24);
      const double bound = u * (2 * (c.head_dim + 8) * size + static_cast<double>(p.size()) + 80);
      for (int d = 0; d < c.head_dim; ++d) {
        double wanted = 0, absolute = 0;
        for (size_t i = 0; i < p.size(); ++i) {
          const double v = cache.Value(static_cast<int>(i), d);
          wanted += p[i] / total * v;
          absolute += p[i] / total * std::fabs(v);
        }
        ASSERT_NEAR(out[static_cast<size_t>((t * c.heads + h) * c.head_dim + d)], wanted,
                    bound * absolute + 1e-30)
            << "token " << t << " head " << h << " d " << d;
      }
    }
  }
}

TEST_P(AttentionTest, BatchesAndHeadSplitsKeepEveryBit) {
  const Case c = GetParam();
  const Cache cache(c.type, c.head_dim, c.first + c.tokens, 5);
  const int row = c.heads * c.head_dim;
  const auto q = Queries(c.tokens * row, 6);
  const auto whole = Attend(cache, q, c.tokens, c.heads, c.first);
  for (const int step : {1, 3, 7}) {
    for (int t = 0; t < c.tokens; t += step) {
      const int count = std::min(step, c.tokens - t);
      const std::vector<float> part(q.begin() + t * row, q.begin() + (t + count) * row);
      const auto out = Attend(cache, part, count, c.heads, c.first + t);
      ASSERT_EQ(std::memcmp(out.data(), whole.data() + t * row, out.size() * 4), 0)
          << "tokens from " << t << " by " << step;
    }
  }
  for (int h = 0; h < c.heads; ++h) {  // one head of one token
    const int t = c.tokens - 1;
    const float* query = q.data() + t * row + h * c.head_dim;
    const auto out =
        Attend(cache, std::vector<float>(query, query + c.head_dim), 1, 1, c.first + t);
    ASSERT_EQ(std::memcmp(out.data(), whole.data() + t * row + h * c.head_dim, out.size() * 4), 0);
  }
}

TEST_P(AttentionTest, ChunksInAnyOrderKeepEveryBit) {
  const Case c = GetParam();
  const Cache cache(c.type, c.head_dim, c.first + c.tokens, 5);
  const int row = c.heads * c.head_dim, rows = c.tokens * c.heads;
  const auto q = Queries(c.tokens * row, 6);
  const auto whole = Attend(cache, q, c.tokens, c.heads, c.first);
  std::vector<float> out(whole.size(), -1.0f);
  std::vector<float> scratch(AttentionScratchFloats(cache.shape, rows), 7.0f);
  const AttentionCall call{
      cache.shape, cache.blocks.data(), 0,   q.data(),      row, c.tokens, c.heads,
      c.first,     out.data(),          row, scratch.data()};
  const int64_t chunks = AttentionChunks(c.first + c.tokens - 1);
  const size_t floats = AttentionStateFloats(cache.shape, rows);
  std::vector<float> states(static_cast<size_t>(chunks) * floats, 9.0f);
  for (int64_t i = chunks - 1; i >= 0; --i) {
    AttendChunk(call, i, states.data() + static_cast<size_t>(i) * floats);
  }
  MergeChunks(call, states.data());
  ASSERT_EQ(std::memcmp(out.data(), whole.data(), out.size() * sizeof(float)), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, AttentionTest,
    testing::Values(Case{KvType::kF16, 128, 4, 1, 0}, Case{KvType::kF16, 128, 4, 20, 0},
                    Case{KvType::kF16, 128, 4, 33, 500}, Case{KvType::kF16, 100, 1, 70, 60},
                    Case{KvType::kF16, 256, 2, 9, 127}, Case{KvType::kF32, 128, 3, 65, 63},
                    Case{KvType::kF32, 32, 5, 6, 1000}, Case{KvType::kInt8, 128, 4, 40, 100},
                    Case{KvType::kInt8, 100, 2, 3, 64}, Case{KvType::kF16, 64, 1, 2, 4094},
                    Case{KvType::kF16, 128, 4, 7, 253}),
    [](const auto& info) {
      const Case& c = info.param;
      return std::string(KvTypeName(c.type)) + "_d" + std::to_string(c.head_dim) + "_h" +
             std::to_string(c.heads) + "_t" + std::to_string(c.tokens) + "_at" +
             std::to_string(c.first);
    });

TEST(Attention, HugeScoresDoNotOverflow) {
  const Cache cache(KvType::kF32, 64, 130, 9);
  auto q = Queries(64, 3);
  for (auto& v : q) v *= 1e6f;
  const auto out = Attend(cache, q, 1, 1, 129);
  for (const float v : out) ASSERT_TRUE(std::isfinite(v));
}

TEST(KvBlock, DrawingOfTheFirstBytes) {
  const KvBlockShape shape{KvType::kF32, 3};
  alignas(64) float block[4096] = {};
  const float key[] = {1, 2, 3}, value[] = {4, 5, 6};
  WriteKv(shape, block, 2, key, value);
  EXPECT_EQ(block[2], 1);
  EXPECT_EQ(block[64 + 2], 2);
  EXPECT_EQ(block[128 + 2], 3);
  const float* values = block + shape.values_offset() / 4;
  EXPECT_EQ(values[2 * 16], 4);
  EXPECT_EQ(values[2 * 16 + 2], 6);
  EXPECT_EQ(values[2 * 16 + 3], 0);
}

TEST(KvBlock, TypesByName) {
  EXPECT_EQ(ParseKvType("int8"), KvType::kInt8);
  EXPECT_THROW(ParseKvType("q4"), std::exception);
}

}  // namespace
}  // namespace trit::ops
