// Tables that lie, one lie at a time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "runtime/kernel_library.h"
#include "runtime/portable/portable.h"
#include "targets/base/error.h"
#include "targets/features.h"

namespace trit {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A whole library to spoil: the portable one, twice as many kernels and choices.
struct Tables {
  Tables() {
    library = *PortableLibrary();
    layout = *library.kernels->layout;
    form = *library.kernels->act_form;
    for (trit_kernel& k : kernels) {
      k = *library.kernels;
      k.layout = &layout;
      k.act_form = &form;
    }
    kernels[0].m_max = 4;
    kernels[1].m_min = 2;
    for (trit_choice& c : choices) c = *library.choices;
    choices[0].m_max = 4;
    choices[1].m_min = 3;
    choices[1].kernel = 1;
    library.kernels = kernels;
    library.choices = choices;
    library.kernel_count = library.choice_count = 2;
  }
  trit_library library;
  trit_layout layout;
  trit_act_form form;
  trit_kernel kernels[2];
  trit_choice choices[2];
};

const trit_library* current = nullptr;

std::string Refusal(const std::function<void(Tables&)>& spoil) {
  Tables tables;
  spoil(tables);
  current = &tables.library;
  try {
    KernelLibrary::FromTable([] { return current; }, "the library");
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::StartsWith("the library: "));
    return e.what();
  }
  return "accepted";
}

TEST(LibraryTables, WholeOnesAreTaken) {
  EXPECT_EQ(Refusal([](Tables&) {}), "accepted");
}

TEST(LibraryTables, VersionsAndSizes) {
  EXPECT_THAT(Refusal([](Tables& t) { t.library.abi_major = 2; }), HasSubstr("ABI version 2.0"));
  EXPECT_EQ(Refusal([](Tables& t) { t.library.abi_minor = 7; }), "accepted");
  EXPECT_THAT(Refusal([](Tables& t) { t.library.struct_bytes = 16; }), HasSubstr("16 bytes"));
  EXPECT_THAT(Refusal([](Tables& t) { t.kernels[0].struct_bytes = 8; }), HasSubstr("8 bytes"));
  EXPECT_THAT(Refusal([](Tables& t) { t.kernels[1].struct_bytes += 8; }), HasSubstr("kernel 1"));
  EXPECT_THAT(Refusal([](Tables& t) { t.choices[0].struct_bytes = 0; }), HasSubstr("0 bytes"));
  EXPECT_THAT(Refusal([](Tables& t) { t.layout.struct_bytes = 12; }), HasSubstr("12 bytes"));
  EXPECT_THAT(Refusal([](Tables& t) { t.form.struct_bytes = 39; }), HasSubstr("39 bytes"));
  EXPECT_THAT(Refusal([](Tables& t) { t.library.kernel_count = 0; }), HasSubstr("0 kernels"));
  EXPECT_THAT(Refusal([](Tables& t) { t.library.choice_count = 0; }), HasSubstr("0 choices"));
  EXPECT_THAT(Refusal([](Tables& t) { t.library.kernel_count = 1u << 31; }), HasSubstr("kernels"));
}

// Structs that a later minor version made longer are stepped through by their own size.
TEST(LibraryTables, LongerStructsAreRead) {
  struct LongKernel {
    trit_kernel kernel;
    uint64_t more;
  };
  struct LongChoice {
    trit_choice choice;
    uint64_t more;
  };
  Tables t;
  LongKernel kernels[2];
  LongChoice choices[2];
  for (int i = 0; i < 2; ++i) {
    kernels[i] = {t.kernels[i], ~uint64_t{0}};
    kernels[i].kernel.struct_bytes = sizeof(LongKernel);
    choices[i] = {t.choices[i], ~uint64_t{0}};
    choices[i].choice.struct_bytes = sizeof(LongChoice);
  }
  t.library.kernels = &kernels[0].kernel;
  t.library.choices = &choices[0].choice;
  current = &t.library;
  const auto library = KernelLibrary::FromTable([] { return current; }, "long");
  ASSERT_EQ(library->kernels().size(), 2u);
  EXPECT_EQ(library->kernels()[1], &kernels[1].kernel);
  EXPECT_EQ(library->choices()[1].m_min, 3);
}

TEST(LibraryTables, NullPointers) {
  EXPECT_THAT(Refusal([](Tables& t) { t.library.arch = nullptr; }), HasSubstr("null pointer"));
  EXPECT_THAT(Refusal([](Tables& t) { t.library.features = nullptr; }), HasSubstr("feature list"));
  EXPECT_THAT(Refusal([](Tables& t) { t.library.kernels = nullptr; }), HasSubstr("kernel table"));
  EXPECT_THAT(Refusal([](Tables& t) { t.library.choices = nullptr; }), HasSubstr("choice table"));
  EXPECT_THAT(Refusal([](Tables& t) { t.kernels[1].layout = nullptr; }), HasSubstr("layout"));
  EXPECT_THAT(Refusal([](Tables& t) { t.kernels[1].act_form = nullptr; }), HasSubstr("form"));
  EXPECT_THAT(Refusal([](Tables& t) { t.kernels[1].run = nullptr; }), HasSubstr("run"));
  EXPECT_THAT(Refusal([](Tables& t) { t.kernels[1].name = nullptr; }), HasSubstr("name"));
  EXPECT_THAT(Refusal([](Tables& t) { t.layout.pack = nullptr; }), HasSubstr("pack"));
  EXPECT_THAT(Refusal([](Tables& t) { t.layout.unpack = nullptr; }), HasSubstr("unpack"));
  EXPECT_THAT(Refusal([](Tables& t) { t.layout.id = nullptr; }), HasSubstr("id"));
  EXPECT_THAT(Refusal([](Tables& t) { t.form.prepare = nullptr; }), HasSubstr("prepare"));
  EXPECT_THROW(KernelLibrary::FromTable(nullptr, "none"), Error);
}

TEST(LibraryTables, IdsAndNumbers) {
  EXPECT_THAT(Refusal([](Tables& t) { t.layout.id = "noversion"; }), HasSubstr("\"noversion\""));
  EXPECT_THAT(Refusal([](Tables& t) { t.form.id = "Rows.v1"; }), HasSubstr("\"Rows.v1\""));
  EXPECT_THAT(Refusal([](Tables& t) { t.kernels[0].name = "a\nb"; }), HasSubstr("control"));
  EXPECT_THAT(Refusal([](Tables& t) { t.layout.align = 48; }), HasSubstr("alignment of 48"));
  EXPECT_THAT(Refusal([](Tables& t) { t.layout.n_granule = 0; }), HasSubstr("pads N to 0"));
  EXPECT_THAT(Refusal([](Tables& t) { t.layout.k_multiple = -4; }), HasSubstr("K to -4"));
  EXPECT_THAT(Refusal([](Tables& t) { t.kernels[0].m_granule = 0; }), HasSubstr("tokens to 0"));
  EXPECT_THAT(Refusal([](Tables& t) { t.kernels[0].m_min = 9; }), HasSubstr("9 to 4 tokens"));
  EXPECT_THAT(Refusal([](Tables& t) { t.kernels[0].k_max = 0; }), HasSubstr("K = 0"));
  EXPECT_THAT(Refusal([](Tables& t) { t.kernels[0].flags = 1; }), HasSubstr("flags"));
  EXPECT_THAT(Refusal([](Tables& t) { t.kernels[0].scratch_bytes = ~uint64_t{0}; }),
              HasSubstr("scratch"));
  EXPECT_THAT(Refusal([](Tables& t) {
                t.layout.packed_bytes = [](int32_t, int32_t) { return uint64_t{64}; };
              }),
              HasSubstr("gives a size to a tensor of 0 x 1"));
  EXPECT_THAT(Refusal([](Tables& t) {
                t.layout.packed_bytes = [](int32_t n, int32_t k) {
                  return n <= 0 || k <= 0 ? 0 : ~uint64_t{0} - 100;
                };
              }),
              HasSubstr("bytes to a tensor of 1 x 1"));
}

TEST(LibraryTables, Traits) {
  EXPECT_THAT(Refusal([](Tables& t) { t.library.arch = "z80"; }), HasSubstr("made for z80"));
  EXPECT_THAT(Refusal([](Tables& t) { t.library.target = "avx1024"; }),
              AllOf(HasSubstr("\"avx1024\""), HasSubstr("avx2")));
  static const char* const unknown[] = {"telepathy", nullptr};
  EXPECT_THAT(Refusal([](Tables& t) { t.library.features = unknown; }), HasSubstr("telepathy"));
  static const char* const none[] = {nullptr};
  EXPECT_THAT(Refusal([](Tables& t) { t.library.features = none; }),
              HasSubstr("does not list the CPU feature"));
}

// A library of features that no machine has all of is opened and listed, and not run.
TEST(LibraryTables, MissingFeaturesAreNamed) {
  static std::vector<const char*> features;
  std::vector<std::string> missing;
  for (const char* f : {"sse2", "avxvnniint8", "neon", "sve2"}) {
    features.push_back(f);
    if (!HostFeatures().Has(f)) missing.push_back(f);
  }
  features.push_back(nullptr);
  Tables t;
  t.library.features = features.data();
  current = &t.library;
  const auto library = KernelLibrary::FromTable([] { return current; }, "demanding");
  EXPECT_FALSE(library->runnable());
  EXPECT_THAT(library->missing_features(), testing::ElementsAreArray(missing));
}

TEST(LibraryTables, Choices) {
  EXPECT_THAT(Refusal([](Tables& t) { t.choices[1].kernel = 2; }), HasSubstr("kernel 2 of 2"));
  EXPECT_THAT(Refusal([](Tables& t) { t.choices[0].n_per_task = -1; }), HasSubstr("negative"));
  EXPECT_THAT(Refusal([](Tables& t) { t.choices[0].m_max = 5; }), HasSubstr("1 to 5 tokens"));
  EXPECT_THAT(Refusal([](Tables& t) { t.choices[1].m_min = 1; }), HasSubstr("1 to 2147483647"));
  // Holes: between two rows, at the end, at the beginning, or closed for one shape only.
  EXPECT_THAT(Refusal([](Tables& t) { t.choices[1].m_min = 6; }),
              AllOf(HasSubstr("hole"), HasSubstr("takes 5 tokens")));
  EXPECT_THAT(Refusal([](Tables& t) { t.choices[1].m_max = 1000; }),
              HasSubstr("takes 1001 tokens"));
  EXPECT_THAT(Refusal([](Tables& t) { t.choices[0].m_min = 2; }), HasSubstr("takes 1 tokens"));
  EXPECT_THAT(Refusal([](Tables& t) { t.choices[1].n = 64; }), HasSubstr("hole"));
  EXPECT_THAT(Refusal([](Tables& t) { t.choices[1].threads = 1; }), HasSubstr("hole"));
  // A kernel whose layout no row reaches.
  EXPECT_THAT(Refusal([](Tables& t) {
                static trit_layout other;
                other = t.layout;
                other.id = "other.v1";
                t.kernels[1].layout = &other;
              }),
              HasSubstr("hole"));
}

TEST(StatusText, KnowsEveryStatus) {
  for (int32_t s = TRIT_OK; s <= TRIT_BAD_STRUCT; ++s) {
    EXPECT_THAT(std::string(StatusText(s)), testing::Not(HasSubstr("does not have")));
  }
  EXPECT_THAT(std::string(StatusText(99)), HasSubstr("does not have"));
}

}  // namespace
}  // namespace trit
