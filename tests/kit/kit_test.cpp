// The kit itself: every linked library passes it, and planted faults do not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "runtime/linked/linked.h"
#include "runtime/portable/portable.h"
#include "tests/kit/check_library.h"
#include "tests/kit/guard.h"
#include "tests/kit/oracle.h"

namespace trit::kit {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

#ifdef TRIT_FULL
constexpr int kSweep = 16;
#else
constexpr int kSweep = 1;
#endif

CheckOptions Options() {
  CheckOptions options;
  options.sweep = kSweep;
  return options;
}

TEST(CheckLibrary, EveryLinkedLibraryHolds) {
  int libraries = 0;
  for (const trit_library_fn entry : LinkedLibraries()) {
    const auto library =
        KernelLibrary::FromTable(entry, std::string("built-in ") + entry()->target);
    const CheckReport report = CheckLibrary(*library, Options());
    EXPECT_THAT(report.faults, ElementsAre()) << library->name();
    EXPECT_GT(report.layouts, 0) << library->name();
    ++libraries;
  }
  RecordProperty("libraries", libraries);
}

TEST(CheckLibrary, ThePortableLibraryHolds) {
  const auto library = KernelLibrary::FromTable(PortableLibrary, "portable");
  const CheckReport report = CheckLibrary(*library, Options());
  EXPECT_THAT(report.faults, ElementsAre());
  EXPECT_EQ(report.kernels, 1);
  EXPECT_GT(report.products, 100);
}

// ---- planted faults: a gate that lets one of these pass is no gate ------------------------------

const trit_kernel& Good() {
  return *PortableLibrary()->kernels;
}

std::vector<std::string> Faults(const trit_kernel& kernel) {
  CheckReport report;
  CheckKernel(kernel, {}, &report);
  return report.faults;
}

TEST(CheckKernel, FindsASumThatIsOffByOneForOneTokenCount) {
  trit_kernel bad = Good();
  bad.run = [](const trit_matmul_args* args) {
    const int32_t status = Good().run(args);
    if (args->m == 13) args->y[args->m_begin * args->y_stride + args->n_begin] += 1;
    return status;
  };
  EXPECT_THAT(Faults(bad), ElementsAre(HasSubstr("13 tokens")));
}

TEST(CheckKernel, FindsNarrowSums) {
  trit_kernel bad = Good();
  bad.run = [](const trit_matmul_args* args) {
    const int32_t status = Good().run(args);
    for (int32_t m = args->m_begin; m < args->m_end; ++m) {
      for (int32_t n = args->n_begin; n < args->n_end; ++n) {
        int32_t& y = args->y[m * args->y_stride + n];
        y = (y << 11) >> 11;  // 21 bits: wrong only where K is long and values are extreme
      }
    }
    return status;
  };
  EXPECT_THAT(Faults(bad), ElementsAre(HasSubstr("+127")));
}

TEST(CheckKernel, FindsWritesOutsideTheSlice) {
  trit_kernel bad = Good();
  bad.run = [](const trit_matmul_args* args) {
    const int32_t status = Good().run(args);
    if (args->n_end < args->n) args->y[args->m_begin * args->y_stride + args->n_end] = 0;
    return status;
  };
  EXPECT_THAT(Faults(bad), ElementsAre(HasSubstr("writes to token")));
}

TEST(CheckKernel, FindsSlicesThatDependOnTheirBeginning) {
  trit_kernel bad = Good();
  bad.run = [](const trit_matmul_args* args) {
    const int32_t status = Good().run(args);
    if (args->n_begin > 0) args->y[args->m_begin * args->y_stride + args->n_begin] ^= 1;
    return status;
  };
  EXPECT_THAT(Faults(bad), ElementsAre(HasSubstr("in slices")));
}

TEST(CheckKernel, FindsAPreparationThatWritesTooMuch) {
  trit_act_form form = *Good().act_form;
  form.prepared_bytes = [](int32_t m, int32_t k) {
    return m <= 0 || k <= 0 ? 0 : uint64_t(m) * k + 3;
  };
  form.prepare = [](const int8_t* rows, ptrdiff_t stride, int32_t m, int32_t k, int32_t begin,
                    int32_t end, void* prepared) {
    static_cast<int8_t*>(prepared)[int64_t{m} * k + 3] = 1;
    return Good().act_form->prepare(rows, stride, m, k, begin, end, prepared);
  };
  trit_kernel bad = Good();
  bad.act_form = &form;
  EXPECT_THAT(Faults(bad), ElementsAre(HasSubstr("outside its block")));
}

std::vector<std::string> LayoutFaults(const trit_layout& layout) {
  CheckReport report;
  CheckLayout(layout, {}, &report);
  return report.faults;
}

TEST(CheckLayout, FindsAPackThatTakesBadTrits) {
  trit_layout bad = *Good().layout;
  bad.pack = [](const int8_t* trits, ptrdiff_t stride, int32_t n, int32_t k, int32_t begin,
                int32_t end, void* packed) {
    const int32_t status = Good().layout->pack(trits, stride, n, k, begin, end, packed);
    return status == TRIT_BAD_TRIT ? int32_t{TRIT_OK} : status;
  };
  EXPECT_THAT(LayoutFaults(bad), ElementsAre(HasSubstr("takes the weight")));
}

TEST(CheckLayout, FindsAPackThatTouchesItsNeighbours) {
  trit_layout bad = *Good().layout;
  bad.pack = [](const int8_t* trits, ptrdiff_t stride, int32_t n, int32_t k, int32_t begin,
                int32_t end, void* packed) {
    const int32_t status = Good().layout->pack(trits, stride, n, k, begin, end, packed);
    if (status == TRIT_OK && end < n) static_cast<int8_t*>(packed)[int64_t{end} * k] = 0;
    return status;
  };
  EXPECT_THAT(LayoutFaults(bad), ElementsAre(HasSubstr("granules")));
}

TEST(CheckLayout, FindsAnUnpackThatLosesATrit) {
  trit_layout bad = *Good().layout;
  bad.unpack = [](const void* packed, int32_t n, int32_t k, int32_t begin, int32_t end,
                  int8_t* trits, ptrdiff_t stride) {
    const int32_t status = Good().layout->unpack(packed, n, k, begin, end, trits, stride);
    if (status == TRIT_OK && k > 2) trits[2] = 0;
    return status;
  };
  EXPECT_THAT(LayoutFaults(bad), ElementsAre(HasSubstr("does not come back")));
}

// ---- crashes and hangs --------------------------------------------------------------------------

trit_kernel planted;
const trit_library* PlantedLibrary() {
  static trit_library library;
  library = *PortableLibrary();
  library.kernels = &planted;
  return &library;
}

std::vector<std::string> IsolatedFaults(trit_matmul_fn run) {
  planted = Good();
  planted.name = "planted";
  planted.run = run;
  CheckOptions options;
  options.timeout_s = 2;
  options.only = "planted";
  return CheckLibrary(*KernelLibrary::FromTable(PlantedLibrary, "test"), options).faults;
}

TEST(CheckLibrary, ReportsCrashesAndHangs) {
  EXPECT_THAT(IsolatedFaults([](const trit_matmul_args*) -> int32_t {
                std::raise(SIGILL);
                return 0;
              }),
              ElementsAre(HasSubstr("signal 4")));
  // A read beyond the weights meets the guard page.
  EXPECT_THAT(IsolatedFaults([](const trit_matmul_args* args) -> int32_t {
                const volatile char* w = static_cast<const char*>(args->w);
                for (int i = 0; i < 100'000; ++i) (void)w[int64_t{args->n} * args->k + i];
                return Good().run(args);
              }),
              testing::SizeIs(1));
  EXPECT_THAT(IsolatedFaults([](const trit_matmul_args*) -> int32_t {
                for (;;) pause();
              }),
              ElementsAre(HasSubstr("more than 2 seconds")));
}

TEST(Guarded, SeesWritesIntoTheSlack) {
  Guarded g(100, 64);
  EXPECT_TRUE(g.CanaryIntact());
  g.data()[100] = 1;
  EXPECT_FALSE(g.CanaryIntact());
}

TEST(GuardedDeathTest, FaultsBeyondTheEnd) {
  Guarded g(128, 64), b(128, 64, Guarded::kBegin);
  EXPECT_DEATH(g.data()[128] = 1, "");
  EXPECT_DEATH(b.data()[-1] = 1, "");
  g.ReadOnly();
  EXPECT_DEATH(g.data()[0] = 1, "");
}

TEST(Oracle, IsTheDefinition) {
  const Trits w{2, 3, {1, 0, -1, -1, -1, 1}};
  const Tokens a{2, 3, {10, 20, 30, -128, 127, 5}};
  EXPECT_THAT(kit::Oracle(w, a), ElementsAre(-20, 0, -133, 6));
}

}  // namespace
}  // namespace trit::kit
