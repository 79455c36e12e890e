// The float order is independent of the vector length: every target with fused multiply-add gives
// the same bits.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "model/ops/attention.h"
#include "model/ops/dense.h"
#include "model/ops/ops.h"
#include "model/ops/screen.h"

namespace trit::ops {
namespace {

struct Outcome {
  std::vector<float> floats;
  std::vector<int8_t> bytes;
};

std::vector<float> Random(size_t n, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values(n);
  for (auto& v : values) v = normal(engine);
  return values;
}

Outcome Everything() {
  Outcome out;
  const auto keep = [&](const std::vector<float>& v) {
    out.floats.insert(out.floats.end(), v.begin(), v.end());
  };
  const int64_t n = 3200;
  const auto x = Random(n, 1), w = Random(n, 2);
  out.bytes.resize(n);
  std::vector<float> y(n);
  y[0] = NormQuantize(x.data(), w.data(), n, n, 1e-5f, out.bytes.data());
  keep(y);
  Norm(x.data(), w.data(), n, n, 1e-5f, y.data());
  keep(y);
  std::vector<int32_t> gate(n), up(n);
  std::mt19937 engine(3);
  for (auto& v : gate) v = static_cast<int32_t>(engine() % 20001) - 10000;
  for (auto& v : up) v = static_cast<int32_t>(engine() % 20001) - 10000;
  for (const auto act : {Activation::kSilu, Activation::kSquaredRelu}) {
    GateSums(act, gate.data(), 1e-3f, up.data(), 2e-3f, n, y.data());
    keep(y);
  }
  AddScaledSums(gate.data(), n, 0.3f, y.data());
  for (const auto order : {RopeOrder::kHalves, RopeOrder::kPairs}) {
    Rope(order, y.data(), n / 100, 100, x.data(), w.data());
  }
  keep(y);
  ExpShifted(x.data(), 3.0f, n, y.data());
  keep(y);

  for (const auto type : {KvType::kF16, KvType::kF32, KvType::kInt8}) {
    const KvBlockShape shape{type, 100};
    const int positions = 150, heads = 3, tokens = 9;
    std::vector<std::vector<float>> storage(3, std::vector<float>(shape.bytes() / 4 + 1));
    std::vector<const void*> blocks;
    for (auto& s : storage) blocks.push_back(s.data());
    for (int p = 0; p < positions; ++p) {
      const auto k = Random(100, 100 + static_cast<uint32_t>(p));
      const auto v = Random(100, 1000 + static_cast<uint32_t>(p));
      WriteKv(shape, storage[static_cast<size_t>(p / 64)].data(), p % 64, k.data(), v.data());
    }
    const auto q = Random(static_cast<size_t>(tokens * heads * 100), 7);
    std::vector<float> o(q.size()), scratch(AttentionScratchFloats(shape, tokens * heads));
    Attention({shape, blocks.data(), 0, q.data(), heads * 100, tokens, heads, positions - tokens,
               o.data(), heads * 100, scratch.data()});
    keep(o);
  }

  std::mt19937 bytes(5);
  for (const auto type : {DenseType::kF32, DenseType::kQ8_0, DenseType::kQ6_K, DenseType::kQ4_0}) {
    const int64_t rows = 20, k = 512;
    std::vector<uint8_t> file(DenseBytes(type, 32, k)), packed(file.size());
    if (type == DenseType::kF32) {
      const auto f = Random(static_cast<size_t>(rows * k), 8);
      std::memcpy(file.data(), f.data(), f.size() * 4);
    } else {
      for (auto& b : file) b = static_cast<uint8_t>(bytes() & 0x3f);  // small positive halves
    }
    PackDenseRows(type, rows, k, 0, rows, file.data(), packed.data());
    std::vector<float> input(static_cast<size_t>(3 * DensePreparedFloats(type, k)));
    for (int t = 0; t < 3; ++t) {
      PrepareDenseInput(type, k, x.data() + 31 * t,
                        input.data() + t * DensePreparedFloats(type, k));
    }
    std::vector<float> logits(3 * 32);
    MultiplyDense({type, rows, k, packed.data()}, input.data(), 3, 0, rows, logits.data(), 32);
    for (int t = 0; t < 3; ++t) keep({logits.begin() + 32 * t, logits.begin() + 32 * t + rows});
    if (!ScreenHasKernel(type, k)) continue;
    const DenseView view{type, rows, k, packed.data()};
    keep({LargestRowNorm(view, 0, rows)});
    std::vector<ScreenBlock> blocks(kScreenTokens * k / kScreenColumns);
    for (int t = 0; t < 3; ++t) {
      ScreenBlock* own = blocks.data() + t;
      keep({PrepareScreenInput(x.data() + 31 * t, k, 1, own)});
      for (int b = 0; b < k / kScreenColumns; ++b) {
        out.bytes.insert(out.bytes.end(), own[b * kScreenTokens].q,
                         own[b * kScreenTokens].q + kScreenColumns);
      }
    }
    MultiplyScreened(view, blocks.data(), 3, 0, rows, logits.data(), 32);
    for (int t = 0; t < 3; ++t) keep({logits.begin() + 32 * t, logits.begin() + 32 * t + rows});
  }
  return out;
}

TEST(Targets, FusedMultiplyAddTargetsGiveTheSameBits) {
  LimitVectorTarget("native");
  const std::string native = VectorTarget();
  const Outcome wanted = Everything();
  LimitVectorTarget("avx2");
  const std::string limited = VectorTarget();
  if (limited != "AVX2" || native == limited) {
    LimitVectorTarget("native");
    GTEST_SKIP() << "needs AVX-512 and AVX2; native is " << native << ", limited " << limited;
  }
  const Outcome got = Everything();
  LimitVectorTarget("native");
  EXPECT_EQ(VectorTarget(), native);
  ASSERT_EQ(wanted.floats.size(), got.floats.size());
  for (size_t i = 0; i < wanted.floats.size(); ++i) {
    ASSERT_EQ(wanted.floats[i], got.floats[i]) << i;
  }
  EXPECT_EQ(wanted.bytes, got.bytes);
}

// Without fused multiply-add (and with one lane at a time) results differ by rounding only.
TEST(Targets, OlderTargetsDifferByRoundingOnly) {
  LimitVectorTarget("native");
  const Outcome wanted = Everything();
  float largest = 0;  // the dense sums cancel: their rounding goes with their terms
  for (const float v : wanted.floats) largest = std::fmax(largest, std::fabs(v));
  for (const char* name : {"sse4", "scalar"}) {
    LimitVectorTarget(name);
    const Outcome got = Everything();
    LimitVectorTarget("native");
    for (size_t i = 0; i < wanted.floats.size(); ++i) {
      ASSERT_NEAR(wanted.floats[i], got.floats[i], 2e-4 + 3e-6 * largest) << name << " " << i;
    }
    for (size_t i = 0; i < wanted.bytes.size(); ++i) {
      ASSERT_LE(std::abs(wanted.bytes[i] - got.bytes[i]), 1) << name;
    }
  }
}

}  // namespace
}  // namespace trit::ops
