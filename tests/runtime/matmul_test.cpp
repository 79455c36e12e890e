// The runtime's road from trits to sums, with whatever kernels this build has: every shape, any
// number of threads, the same sums.
#include "runtime/matmul.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "runtime/linked/linked.h"
#include "targets/base/error.h"
#include "tests/kit/oracle.h"

namespace trit {
namespace {

using kit::Fill;
using kit::Tokens;
using kit::Trits;

ThreadPoolOptions Threads(int threads) {
  return {.threads = threads, .oversubscribe = true};
}

KernelSet& Kernels() {
  static KernelSet set(KernelSetOptions{.linked = LinkedLibraries()});
  return set;
}

RowSource Source(const Trits& trits) {
  return [&trits](int32_t begin, int32_t end, int8_t* out) {
    std::memcpy(out, trits.Row(begin), size_t(end - begin) * trits.k);
  };
}

void Write(Activations& acts, const Tokens& tokens) {
  acts.Reset(tokens.m);
  for (int32_t t = 0; t < tokens.m; ++t) std::memcpy(acts.Row(t), tokens.Row(t), tokens.k);
}

std::vector<int32_t> Product(ThreadPool& pool, const PackedMatrix& w, Activations& acts) {
  Sums sums(Kernels(), acts.m(), w.n());
  pool.Run([&](Team& team) { MatMul(team, w, acts, sums); });
  std::vector<int32_t> y;
  for (int32_t m = 0; m < acts.m(); ++m) y.insert(y.end(), sums.Row(m), sums.Row(m) + w.n());
  return y;
}

TEST(MatMul, EqualsTheOracleForAnyShapeAndThreadCount) {
  std::mt19937_64 random(1);
  for (const auto& [n, k] : {std::pair{1, 1}, {1, 3}, {3, 100}, {100, 2561}, {257, 130}}) {
    const Trits trits = kit::MakeTrits(n, k, Fill::kRandom, random);
    for (const int threads : {1, 2, 5}) {
      ThreadPool pool(Threads(threads));
      const PackedMatrix w = PackedMatrix::Pack(Kernels().Plan(n, k, threads), Source(trits), pool);
      Activations acts(Kernels(), 40, k, threads);
      for (const int32_t m : {1, 40, 2, 3, 8, 1, 17}) {
        const Tokens tokens = kit::MakeTokens(m, k, Fill::kRandom, random);
        Write(acts, tokens);
        EXPECT_EQ(Product(pool, w, acts), kit::Oracle(trits, tokens))
            << Kernels().Explain(n, k, m, threads);
      }
    }
  }
}

TEST(MatMul, SumsOfTheExtremesAreExact) {
  std::mt19937_64 random(2);
  ThreadPool pool(Threads(2));
  for (const Fill fill : kit::kAllFills) {
    const Trits trits = kit::MakeTrits(70, 6912, fill, random);
    const PackedMatrix w = PackedMatrix::Pack(Kernels().Plan(70, 6912, 2), Source(trits), pool);
    Activations acts(Kernels(), 5, 6912, 2);
    const Tokens tokens = kit::MakeTokens(5, 6912, fill, random);
    Write(acts, tokens);
    EXPECT_EQ(Product(pool, w, acts), kit::Oracle(trits, tokens)) << kit::FillName(fill);
  }
}

// Every layout that ships is readable by the portable kernel as well.
TEST(MatMul, PortableKernelReadsEveryLayout) {
  std::mt19937_64 random(3);
  ThreadPool pool(Threads(2));
  const Trits trits = kit::MakeTrits(150, 333, Fill::kRandom, random);
  const Tokens tokens = kit::MakeTokens(3, 333, Fill::kRandom, random);
  const KernelSet portable_only(KernelSetOptions{});
  std::set<std::string> seen;
  for (const auto& library : Kernels().libraries()) {
    for (const trit_kernel* kernel : library->kernels()) {
      if (!seen.insert(kernel->layout->id).second) continue;
      const PackedMatrix w =
          PackedMatrix::Pack(portable_only.Plan(*kernel->layout, 150, 333, 2), Source(trits), pool);
      EXPECT_STREQ(w.plan().For(1).kernel->family, "portable");
      Activations acts(Kernels(), 3, 333, 2);
      Write(acts, tokens);
      EXPECT_EQ(Product(pool, w, acts), kit::Oracle(trits, tokens)) << kernel->layout->id;
    }
  }
}

TEST(MatMul, EpilogueSeesEverySumOnce) {
  std::mt19937_64 random(4);
  const Trits trits = kit::MakeTrits(301, 200, Fill::kRandom, random);
  const Tokens tokens = kit::MakeTokens(19, 200, Fill::kRandom, random);
  const std::vector<int32_t> want = kit::Oracle(trits, tokens);
  for (const int threads : {1, 3}) {
    ThreadPool pool(Threads(threads));
    const PackedMatrix w =
        PackedMatrix::Pack(Kernels().Plan(301, 200, threads), Source(trits), pool);
    Activations acts(Kernels(), 19, 200, threads);
    Write(acts, tokens);
    for (const bool keep : {false, true}) {
      Sums sums(Kernels(), 19, 301);
      std::vector<int32_t> got(want.size());
      std::vector<int> times(want.size());
      const auto epilogue = [&](const MatMulSlice& s) {
        for (int32_t m = s.m_begin; m < s.m_end; ++m) {
          for (int32_t n = s.n_begin; n < s.n_end; ++n) {
            got[m * 301 + n] = s.Row(m)[n - s.n_begin];
            ++times[m * 301 + n];
          }
        }
      };
      pool.Run([&](Team& team) {
        keep ? MatMul(team, w, acts, sums, epilogue) : MatMul(team, w, acts, epilogue);
      });
      EXPECT_EQ(got, want);
      EXPECT_THAT(times, testing::Each(1));
    }
  }
}

// q, k and v read one prepared form; a new step forgets it.
TEST(MatMul, SeveralProductsShareActivations) {
  std::mt19937_64 random(5);
  ThreadPool pool(Threads(2));
  std::vector<Trits> trits;
  std::vector<PackedMatrix> w;
  for (const int32_t n : {256, 64, 64}) {
    trits.push_back(kit::MakeTrits(n, 256, Fill::kRandom, random));
  }
  for (const Trits& t : trits) {
    w.push_back(PackedMatrix::Pack(Kernels().Plan(t.n, t.k, 2), Source(t), pool));
  }
  Activations acts(Kernels(), 4, 256, 2);
  std::vector<Sums> sums;
  for (const Trits& t : trits) sums.emplace_back(Kernels(), 4, t.n);
  for (int step = 0; step < 50; ++step) {
    const Tokens tokens = kit::MakeTokens(step % 4 + 1, 256, Fill::kRandom, random);
    pool.Run([&](Team& team) {
      if (team.index() == 0) acts.Reset(tokens.m);
      team.Barrier();
      team.Share(tokens.m, [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; ++t) std::memcpy(acts.Row(t), tokens.Row(t), 256);
      });
      team.Barrier();
      for (size_t i = 0; i < w.size(); ++i) MatMul(team, w[i], acts, sums[i]);
    });
    for (size_t i = 0; i < w.size(); ++i) {
      const std::vector<int32_t> want = kit::Oracle(trits[i], tokens);
      for (int32_t m = 0; m < tokens.m; ++m) {
        ASSERT_TRUE(
            std::equal(sums[i].Row(m), sums[i].Row(m) + trits[i].n, want.begin() + m * trits[i].n));
      }
    }
  }
}

TEST(PackedMatrix, UnpacksWhatWasPackedAndReportsProgress) {
  std::mt19937_64 random(6);
  ThreadPool pool(Threads(3));
  const Trits trits = kit::MakeTrits(1000, 77, Fill::kRandom, random);
  int32_t last = 0;
  bool grows = true;
  const auto progress = [&](int32_t rows, int32_t n) {
    grows = grows && rows > last && n == 1000;
    last = rows;
  };
  const PackedMatrix w =
      PackedMatrix::Pack(Kernels().Plan(1000, 77, 3), Source(trits), pool, nullptr, progress);
  EXPECT_TRUE(grows);
  EXPECT_EQ(last, 1000);
  std::vector<int8_t> back(trits.w.size(), 9);
  w.Unpack(0, 1000, back.data());
  EXPECT_EQ(back, trits.w);
}

TEST(PackedMatrix, NamesTheRowsWithABadTrit) {
  ThreadPool pool(Threads(2));
  const RowSource source = [](int32_t begin, int32_t end, int8_t* out) {
    std::memset(out, 0, size_t(end - begin) * 64);
    if (begin <= 500 && 500 < end) out[(500 - begin) * 64 + 3] = 2;
  };
  try {
    PackedMatrix::Pack(Kernels().Plan(1000, 64, 2), source, pool);
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("outside {-1, 0, +1}"));
  }
}

TEST(PackedMatrix, CarriesTheSourcesException) {
  ThreadPool pool(Threads(2));
  const RowSource source = [](int32_t, int32_t, int8_t*) { throw Error("the file ended"); };
  EXPECT_THROW(PackedMatrix::Pack(Kernels().Plan(64, 64, 2), source, pool), Error);
}

TEST(MatMul, RefusesWhatDoesNotFit) {
  ThreadPool pool(1);
  EXPECT_THROW(Kernels().Plan(0, 5, 1), Error);
  EXPECT_THROW(Kernels().Plan(5, -1, 1), Error);
  EXPECT_THROW(Kernels().Plan(1, INT32_MAX, 1), Error);  // sums would leave int32
  EXPECT_THROW(Activations(Kernels(), 0, 5, 1), Error);
  EXPECT_THROW(Sums(Kernels(), INT32_MAX, INT32_MAX), Error);
  EXPECT_THROW(PackedMatrix::Reserve(Kernels().Plan(INT32_MAX - 65536, 16'000'000, 1)), Error);
  const RowSource zeros = [](int32_t b, int32_t e, int8_t* out) {
    std::memset(out, 0, size_t(e - b) * 8);
  };
  const PackedMatrix w = PackedMatrix::Pack(Kernels().Plan(8, 8, 1), zeros, pool);
  Activations acts(Kernels(), 4, 8, 1), other(Kernels(), 4, 9, 1);
  Sums sums(Kernels(), 4, 8);
  const auto multiply = [&](const PackedMatrix& weights, Activations& a) {
    pool.Run([&](Team& team) { MatMul(team, weights, a, sums); });
  };
  EXPECT_THROW(acts.Reset(5), Error);
  EXPECT_THROW(multiply(w, acts), Error);  // no Reset yet
  other.Reset(1);
  EXPECT_THROW(multiply(w, other), Error);  // K differs
  acts.Reset(1);
  EXPECT_THROW(multiply(PackedMatrix(), acts), Error);
  multiply(w, acts);
}

}  // namespace
}  // namespace trit
