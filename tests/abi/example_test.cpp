// The hand-written library, from file to sums.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "runtime/matmul.h"
#include "targets/base/error.h"
#include "tests/kit/check_library.h"
#include "tests/kit/oracle.h"

namespace trit {
namespace {

const char kFile[] = TRIT_BINARY_DIR "/tests/abi/example_kernels.so";

TEST(ExampleLibrary, PassesTheGate) {
  const auto library = KernelLibrary::FromFile(kFile);
  EXPECT_EQ(library->build_id(), "written by hand");
  EXPECT_TRUE(library->runnable());
  const kit::CheckReport report = kit::CheckLibrary(*library);
  EXPECT_THAT(report.faults, testing::ElementsAre());
  EXPECT_EQ(report.layouts, 1);
  EXPECT_EQ(report.kernels, 2);
}

// The bytes that the drawing in example_library.c and in runtime/abi/README.md shows.
TEST(ExampleLibrary, PacksAsDrawn) {
  const auto library = KernelLibrary::FromFile(kFile);
  const trit_layout& layout = *library->kernels()[0]->layout;
  std::vector<int8_t> trits(4 * 16, 0);
  trits[0] = 1;            // row 0, column 0: code 2 in bits 1-0 of byte 0
  trits[5] = -1;           // row 0, column 5: code 0 in bits 3-2 of byte 1
  trits[16 + 3] = 1;       // row 1, column 3: code 2 in bits 7-6 of byte 2
  trits[3 * 16 + 8] = -1;  // row 3, column 8: code 0 in bits 1-0 of byte 8 + 6
  uint8_t packed[16];
  ASSERT_EQ(layout.packed_bytes(4, 16), sizeof(packed));
  ASSERT_EQ(layout.pack(trits.data(), 16, 4, 16, 0, 4, packed), TRIT_OK);
  EXPECT_THAT(packed, testing::ElementsAre(0x56, 0x51, 0x95, 0x55, 0x55, 0x55, 0x55, 0x55,  //
                                           0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x54, 0x55));
}

TEST(ExampleLibrary, IsWhatTheRuntimeMultipliesWith) {
  KernelSetOptions options;
  options.files = {kFile};
  const KernelSet set(options);
  EXPECT_STREQ(set.ChooseLayout(100, 50, 2).id, "example-n4k8.v1");
  std::mt19937_64 random(1);
  ThreadPool pool(ThreadPoolOptions{.threads = 3, .oversubscribe = true});
  for (const auto& [n, k] : {std::pair{64, 64}, {7, 29}}) {
    const kit::Trits trits = kit::MakeTrits(n, k, kit::Fill::kRandom, random);
    const RowSource source = [&](int32_t begin, int32_t end, int8_t* out) {
      std::memcpy(out, trits.Row(begin), size_t(end - begin) * trits.k);
    };
    const PackedMatrix w = PackedMatrix::Pack(set.Plan(n, k, 3), source, pool);
    Activations acts(set, 20, k, 3);
    Sums sums(set, 20, n);
    for (const int32_t m : {1, 2, 9, 16, 17}) {
      const kit::Tokens tokens = kit::MakeTokens(m, k, kit::Fill::kRandom, random);
      const std::vector<int32_t> want = kit::Oracle(trits, tokens);
      acts.Reset(m);
      for (int32_t t = 0; t < m; ++t) std::memcpy(acts.Row(t), tokens.Row(t), k);
      pool.Run([&](Team& team) { MatMul(team, w, acts, sums); });
      for (int32_t t = 0; t < m; ++t) {
        EXPECT_TRUE(std::equal(sums.Row(t), sums.Row(t) + n, want.begin() + t * n));
      }
    }
  }
}

// Dispatch is behaviour: which row answers is pinned.
TEST(ExampleLibrary, DispatchGolden) {
  KernelSetOptions options;
  options.files = {kFile};
  const KernelSet set(options);
  const std::string library = std::string(", library ") + kFile;
  const auto explain = [&](int32_t n, int32_t k, int32_t m, int threads) {
    std::string text = set.Explain(n, k, m, threads);
    if (const size_t at = text.find(library); at != std::string::npos) {
      text.erase(at, library.size());
    }
    return text;
  };
  const std::string one = "layout example-n4k8.v1, kernel example-one-token (family example)";
  const std::string more =
      "layout example-n4k8.v1, kernel example-pairs-of-tokens (family example)";
  EXPECT_EQ(explain(64, 64, 1, 1), "64 x 64, 1 token, 1 thread: " + one + ", choice row 1");
  EXPECT_EQ(explain(64, 64, 7, 1), "64 x 64, 7 tokens, 1 thread: " + more + ", choice row 2");
  EXPECT_EQ(explain(64, 64, 8, 2), "64 x 64, 8 tokens, 2 threads: " + more +
                                       ", choice row 0, 16 rows a task, 4 tokens a task");
  EXPECT_EQ(explain(64, 64, 17, 2), "64 x 64, 17 tokens, 2 threads: " + more + ", choice row 2");
  EXPECT_EQ(explain(64, 72, 8, 2), "64 x 72, 8 tokens, 2 threads: " + more + ", choice row 2");
  // Too long for the library's kernels: the portable layout takes it.
  EXPECT_THAT(explain(1, 10'000'000, 1, 1), testing::HasSubstr("layout trits-n1k1.v1"));
}

TEST(ExampleLibrary, ForcingAFamilyOrTarget) {
  KernelSetOptions options;
  options.files = {kFile};
  options.family = "portable";
  EXPECT_STREQ(KernelSet(options).ChooseLayout(8, 8, 1).id, "trits-n1k1.v1");
  options.family = "lut99";
  try {
    KernelSet set(options);
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("\"lut99\""));
    EXPECT_THAT(e.what(), testing::HasSubstr("example, portable"));
  }
  options.family.clear();
  options.target = "no-such-target";
  EXPECT_THROW(KernelSet{options}, Error);
}

}  // namespace
}  // namespace trit
