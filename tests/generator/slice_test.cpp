// One candidate of every family from text to a call, against the plain sum.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <random>

#include "generator/kernel.h"
#include "targets/base/error.h"

namespace trit {
namespace {

constexpr const char* kOne =
    "mad2 avx512vnni dot=quad unpack=reg rows=32 k=64 m_tile=1 split=2 cache=1";

using Buffer = std::unique_ptr<void, decltype(&std::free)>;

Buffer Aligned(uint64_t bytes) {
  return {std::aligned_alloc(64, (bytes + 127) / 64 * 64), &std::free};
}

int32_t Up(int32_t x, int32_t step) {
  return (x + step - 1) / step * step;
}

// Slices of `granules` granules each.
void CheckExact(const trit_kernel& k, int32_t n, int32_t cols, int32_t m, uint64_t seed,
                int32_t granules = 1) {
  const int32_t np = Up(n, k.layout->n_granule), kp = Up(cols, k.layout->k_multiple);
  const int32_t mp = Up(m, k.m_granule);
  std::mt19937_64 rng(seed);
  std::vector<int8_t> w(static_cast<size_t>(n * cols)), x(static_cast<size_t>(mp * kp), 0);
  for (int8_t& v : w) v = static_cast<int8_t>(static_cast<int>(rng() % 3) - 1);
  for (int t = 0; t < m; ++t) {
    for (int i = 0; i < cols; ++i) {
      x[static_cast<size_t>(t * kp + i)] = static_cast<int8_t>(static_cast<int>(rng() % 255) - 127);
    }
  }
  Buffer packed = Aligned(k.layout->packed_bytes(n, cols));
  ASSERT_EQ(k.layout->pack(w.data(), cols, n, cols, 0, n, packed.get()), TRIT_OK);
  std::vector<int8_t> back(w.size(), 9);
  ASSERT_EQ(k.layout->unpack(packed.get(), n, cols, 0, n, back.data(), cols), TRIT_OK);
  EXPECT_EQ(back, w);
  Buffer act = Aligned(k.act_form->prepared_bytes(mp, kp));
  for (int part = k.act_form->parts(mp, kp) - 1; part >= 0; --part) {
    ASSERT_EQ(k.act_form->prepare(x.data(), kp, mp, kp, part, part + 1, act.get()), TRIT_OK);
  }
  const int32_t stride = Up(np, 16);
  Buffer y = Aligned(sizeof(int32_t) * static_cast<uint64_t>(stride) * static_cast<uint64_t>(mp));
  Buffer scratch = Aligned(k.scratch_bytes + 64);
  int32_t* sums = static_cast<int32_t*>(y.get());
  const int32_t step = granules * k.layout->n_granule;
  for (int32_t begin = 0; begin < np; begin += step) {
    const trit_matmul_args args = {sizeof(args),
                                   mp,
                                   np,
                                   kp,
                                   0,
                                   mp,
                                   begin,
                                   std::min(np, begin + step),
                                   &k,
                                   act.get(),
                                   packed.get(),
                                   sums,
                                   stride,
                                   scratch.get()};
    ASSERT_EQ(k.run(&args), TRIT_OK);
  }
  int64_t wrong = 0;
  for (int t = 0; t < m; ++t) {
    for (int r = 0; r < n; ++r) {
      int32_t sum = 0;
      for (int i = 0; i < cols; ++i)
        sum += x[static_cast<size_t>(t * kp + i)] * w[static_cast<size_t>(r * cols + i)];
      wrong += sum !=
               sums[static_cast<size_t>(t) * static_cast<size_t>(stride) + static_cast<size_t>(r)];
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Slice, TextToExactSums) {
  if (!__builtin_cpu_supports("avx512vnni")) GTEST_SKIP() << "this CPU has no AVX-512 VNNI";
  for (const char* text :
       {"mad2 avx512vnni dot=quad unpack=reg rows=32 k=64 m_tile=1 split=2 cache=1",
        "mad2 avx512vnni dot=quad unpack=tile rows=64 k=128 m_tile=2 split=1 cache=1",
        "lut3w avx512bw form=tables rows=128 words=24 m_tile=1 unroll=1 m_block=16 second=load "
        "order=free prefetch=24 "
        "hint=t0 tune=target",
        "lut3w avx512bw form=rows rows=96 words=24 m_tile=4 unroll=2 m_block=16 second=shift "
        "order=tied prefetch=0 hint=t0 "
        "tune=generic"}) {
    const JitKernel jit(ReadCandidate(text));
    CheckExact(jit.kernel(), 100, 200, 5, 1);
    CheckExact(jit.kernel(), 64, 64, 1, 2);
  }
}

// The first index of a block's first word says which block it is.
TEST(Slice, HalvesLieOneBehindTheOther) {
  const JitKernel jit(
      ReadCandidate("lut3w avx512bw form=tables rows=64 words=16 m_tile=1 unroll=1 m_block=16 "
                    "second=load order=free prefetch=0 hint=t0 "
                    "tune=target"));
  const trit_layout& layout = *jit.kernel().layout;
  const int32_t n = 5 * 64, k = 2 * 144;
  std::vector<int8_t> w(static_cast<size_t>(n * k), 0);
  for (int32_t r = 0; r < n; ++r) {
    for (int32_t b = 0; b < 2; ++b) {
      const int32_t block = r / 64 + 10 * b;
      int8_t* first = &w[static_cast<size_t>(r * k + 144 * b)];
      first[0] = static_cast<int8_t>(block / 9 - 1);
      first[1] = static_cast<int8_t>(block / 3 % 3 - 1);
      first[2] = static_cast<int8_t>(block % 3 - 1);
    }
  }
  Buffer packed = Aligned(layout.packed_bytes(n, k));
  ASSERT_EQ(layout.pack(w.data(), k, n, k, 0, n, packed.get()), TRIT_OK);
  std::vector<int> order;
  for (int block = 0; block < 10; ++block) {
    order.push_back(static_cast<const uint16_t*>(packed.get())[block * 64 * 16] & 31);
  }
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 10, 11, 12, 3, 4, 13, 14));
}

TEST(Slice, SlicesAcrossTheHalvesAreExact) {
  if (!__builtin_cpu_supports("avx512vbmi")) GTEST_SKIP() << "this CPU has no AVX-512 VBMI";
  for (const char* text :
       {"lut3w avx512vbmi form=tables rows=64 words=16 m_tile=1 unroll=1 m_block=16 second=load "
        "order=tied prefetch=0 "
        "hint=t0 tune=target",
        "lut3w avx512vbmi form=rows rows=96 words=16 m_tile=4 unroll=1 m_block=16 second=load "
        "order=tied prefetch=16 "
        "hint=t0 tune=target",
        "lut5 avx512vbmi form=tables rows=64 steps=27 unroll=1 m_tile=1 m_block=8 cache=4 "
        "order=free "
        "prefetch=8 hint=t1 tune=target",
        "lut5 avx512vbmi form=rows rows=64 steps=27 unroll=1 m_tile=2 m_block=8 cache=4 order=free "
        "prefetch=27 hint=t0 tune=target"}) {
    SCOPED_TRACE(text);
    const JitKernel jit(ReadCandidate(text));
    const int32_t rows = jit.kernel().layout->n_granule;
    for (int32_t granules : {1, 2, 3, 6})
      CheckExact(jit.kernel(), 5 * rows - 7, 500, 3, 3, granules);
    CheckExact(jit.kernel(), rows, 100, 1, 4);
  }
}

TEST(Slice, EntryRefusesBadCalls) {
  if (!__builtin_cpu_supports("avx512vnni")) GTEST_SKIP() << "this CPU has no AVX-512 VNNI";
  const JitKernel jit(ReadCandidate(kOne));
  const trit_kernel& k = jit.kernel();
  Buffer memory = Aligned(1 << 16);
  const trit_matmul_args good = {sizeof(good),
                                 1,
                                 32,
                                 64,
                                 0,
                                 1,
                                 0,
                                 32,
                                 &k,
                                 memory.get(),
                                 memory.get(),
                                 static_cast<int32_t*>(memory.get()) + 4096,
                                 32,
                                 nullptr};
  EXPECT_EQ(k.run(&good), TRIT_OK);
  EXPECT_EQ(k.run(nullptr), TRIT_BAD_POINTER);
  const auto with = [&](auto change) {
    trit_matmul_args a = good;
    change(a);
    return k.run(&a);
  };
  EXPECT_EQ(with([](auto& a) { a.struct_bytes = 8; }), TRIT_BAD_STRUCT);
  EXPECT_EQ(with([](auto& a) { a.k = 65; }), TRIT_BAD_SHAPE);
  EXPECT_EQ(with([](auto& a) { a.k = -64; }), TRIT_BAD_SHAPE);
  EXPECT_EQ(with([](auto& a) { a.n_end = 64; }), TRIT_BAD_SHAPE);
  EXPECT_EQ(with([](auto& a) { a.n_begin = 1; }), TRIT_BAD_SHAPE);
  EXPECT_EQ(with([](auto& a) { a.m_end = 2; }), TRIT_BAD_SHAPE);
  EXPECT_EQ(with([](auto& a) { a.y_stride = 31; }), TRIT_BAD_SHAPE);
  EXPECT_EQ(with([](auto& a) {
              a.n = INT32_MAX - 31;
              a.y_stride = INT64_MAX - 15;
            }),
            TRIT_BAD_SHAPE);
  EXPECT_EQ(with([](auto& a) { a.w = nullptr; }), TRIT_BAD_POINTER);
  EXPECT_EQ(with([](auto& a) { a.act = static_cast<const char*>(a.act) + 1; }), TRIT_BAD_POINTER);
  EXPECT_EQ(with([](auto& a) { a.y = nullptr; }), TRIT_BAD_POINTER);
}

TEST(Slice, LayoutRefusesBadCalls) {
  const JitKernel jit(ReadCandidate(kOne));
  const trit_layout& layout = *jit.kernel().layout;
  EXPECT_EQ(layout.packed_bytes(0, 64), 0u);
  EXPECT_EQ(layout.packed_bytes(-5, 64), 0u);
  EXPECT_EQ(layout.packed_bytes(INT32_MAX, INT32_MAX), 0u);
  EXPECT_EQ(layout.packed_bytes(33, 65), 2u * 2 * 32 * 16);
  Buffer memory = Aligned(1 << 16);
  std::vector<int8_t> trits(32 * 64, 0);
  EXPECT_EQ(layout.pack(trits.data(), 64, 32, 64, 0, 32, nullptr), TRIT_BAD_POINTER);
  EXPECT_EQ(layout.pack(trits.data(), 63, 32, 64, 0, 32, memory.get()), TRIT_BAD_SHAPE);
  EXPECT_EQ(layout.pack(trits.data(), 64, 32, 64, 1, 32, memory.get()), TRIT_BAD_SHAPE);
  trits[100] = 2;
  EXPECT_EQ(layout.pack(trits.data(), 64, 32, 64, 0, 32, memory.get()), TRIT_BAD_TRIT);
  trits[100] = -128;
  EXPECT_EQ(layout.pack(trits.data(), 64, 32, 64, 0, 32, memory.get()), TRIT_BAD_TRIT);
}

TEST(Slice, RefusesTextByName) {
  const auto refusal = [](const char* text) -> std::string {
    try {
      ReadCandidate(text);
    } catch (const Error& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(refusal("mad7 avx2 a=1"), testing::HasSubstr("known families: "));
  EXPECT_THAT(refusal("mad2 z80 a=1"), testing::HasSubstr("known targets: "));
}

}  // namespace
}  // namespace trit
