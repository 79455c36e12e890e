#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>

#include "runtime/sizes.h"
#include "tests/kit/check_library.h"
#include "tests/kit/guard.h"
#include "tests/kit/oracle.h"

namespace trit::kit {
namespace {

struct Fault {
  std::string text;
};

// What an untouched sum holds; no exact sum of these shapes has this value.
constexpr uint8_t kUntouchedByte = 0x6b;
constexpr int32_t kUntouched = 0x6b6b6b6b;

class KernelChecker {
 public:
  KernelChecker(const trit_kernel& kernel, const CheckOptions& options, CheckReport* report)
      : kernel_(kernel),
        layout_(*kernel.layout),
        form_(*kernel.act_form),
        report_(report),
        random_(options.seed),
        sweep_(options.sweep) {}

  void Check() {
    Form();
    const int32_t g = layout_.n_granule, q = layout_.k_multiple;
    // Every small number of tokens, some large ones.
    std::set<int32_t> ms;
    for (int32_t m = 1; m <= 33; ++m) AddTokens(&ms, m);
    for (const int32_t m : {48, 64, 65, 100, 128}) AddTokens(&ms, m);
    if (ms.empty()) AddTokens(&ms, std::max(kernel_.m_min, 1), /*always=*/true);
    for (const int32_t m : ms) Product(g, ClampK(q + 1), m, Fill::kRandom);
    // Tails of N and K.
    const int32_t m0 = *ms.begin(), m1 = *std::next(ms.begin(), ms.size() / 3);
    std::set<int32_t> ns{1, 3, g, g + 1, 2 * g + 1}, ks{1, 3, 100, q, q + 1, 3 * q + 2};
    if (g > 1) ns.insert(g - 1);
    if (q > 1) ks.insert(q - 1);
    for (const int32_t n : ns) {
      for (const int32_t k : ks) Product(n, ClampK(k), m0, Fill::kRandom);
    }
    for (const int32_t k : ks) Product(g + 1, ClampK(k), m1, Fill::kRandom);
    // Values that break narrow sums, on K of one block and of many.
    for (const Fill fill : kAllFills) {
      Product(g, ClampK(2 * q + 1), m1, fill);
      Product(g, ClampK(2561), m0, fill);
      Product(1, ClampK(6912), m1, fill);
    }
    for (const Fill fill : {Fill::kMaxPlus, Fill::kMinPlus, Fill::kMaxMinus, Fill::kMinMinus}) {
      Product(1, ClampK(40'000), m0, fill);
    }
    for (int i = 0; i < 8 * (sweep_ - 1); ++i) {
      auto m = ms.begin();
      std::advance(m, random_() % ms.size());
      Product(static_cast<int32_t>(1 + random_() % (3 * g)),
              ClampK(static_cast<int32_t>(1 + random_() % (4 * q + 300))), *m,
              kAllFills[random_() % std::size(kAllFills)]);
    }
  }

 private:
  void AddTokens(std::set<int32_t>* ms, int32_t m, bool always = false) {
    if (always || (m >= kernel_.m_min && m <= kernel_.m_max)) ms->insert(m);
  }

  // The largest K whose padded form the kernel is exact for.
  int32_t ClampK(int32_t k) const {
    return std::min(k, kernel_.k_max / layout_.k_multiple * layout_.k_multiple);
  }

  void Need(bool ok, const std::string& what, int32_t n, int32_t k, int32_t m) const {
    if (!ok)
      throw Fault{Join("kernel ", kernel_.name, ", ", n, " x ", k, ", ", m, " tokens: ", what)};
  }

  // Sizes that no form may take.
  void Form() {
    for (const auto& [m, k] : {std::pair{0, 64}, {64, 0}, {-1, 64}, {64, -64}}) {
      Need(form_.prepared_bytes(m, k) == 0, Join("form ", form_.id, " gives them a size"), 0, k, m);
    }
  }

  void Product(int32_t n, int32_t k, int32_t m, Fill fill) {
    const int32_t np = PadTo(n, layout_.n_granule, "n"), kp = PadTo(k, layout_.k_multiple, "k");
    const int32_t mp = PadTo(m, kernel_.m_granule, "m");
    const Trits trits = MakeTrits(n, k, fill, random_);
    const Tokens tokens = MakeTokens(m, k, fill, random_);
    const std::vector<int32_t> want = Oracle(trits, tokens);
    const std::string what = FillName(fill);

    Guarded w(layout_.packed_bytes(n, k), layout_.align);
    Need(layout_.pack(trits.w.data(), k, n, k, 0, n, w.data()) == TRIT_OK, "pack fails", n, k, m);
    w.ReadOnly();

    const ptrdiff_t stride = static_cast<ptrdiff_t>(RoundUp(kp, 64));
    Guarded rows(uint64_t(mp - 1) * stride + kp, 64, Guarded::kEnd, 0);
    for (int32_t t = 0; t < m; ++t) std::memcpy(rows.data() + t * stride, tokens.Row(t), k);
    rows.ReadOnly();
    const uint64_t prepared_bytes = form_.prepared_bytes(mp, kp);
    Need(prepared_bytes > 0, "its activation form refuses them", n, k, m);
    Guarded act(prepared_bytes, form_.align, Guarded::kEnd, 0x99);
    const int32_t parts = form_.parts(mp, kp);
    Need(parts >= 1, "its activation form has no parts", n, k, m);
    std::vector<int32_t> order(parts);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random_);
    for (const int32_t part : order) {
      Need(form_.prepare(rows.as<int8_t>(), stride, mp, kp, part, part + 1, act.data()) == TRIT_OK,
           "prepare fails", n, k, m);
    }
    Need(act.CanaryIntact(), "prepare writes outside its block", n, k, m);
    act.ReadOnly();

    const ptrdiff_t y_stride = static_cast<ptrdiff_t>(RoundUp(np, 16)) + 16;
    Guarded y(uint64_t(mp) * y_stride * sizeof(int32_t), 64);
    Guarded scratch(kernel_.scratch_bytes, 64, Guarded::kEnd, 0xee);
    trit_matmul_args args{};
    args.struct_bytes = sizeof(args);
    args.m = mp;
    args.n = np;
    args.k = kp;
    args.kernel = &kernel_;
    args.act = act.data();
    args.w = w.data();
    args.y = y.as<int32_t>();
    args.y_stride = y_stride;
    args.scratch = kernel_.scratch_bytes == 0 ? nullptr : scratch.data();

    const auto run = [&](int32_t m_begin, int32_t m_end, int32_t n_begin, int32_t n_end) {
      args.m_begin = m_begin;
      args.m_end = m_end;
      args.n_begin = n_begin;
      args.n_end = n_end;
      const int32_t status = kernel_.run(&args);
      Need(status == TRIT_OK, Join("run says: ", StatusText(status)), n, k, m);
      Need(y.CanaryIntact() && scratch.CanaryIntact(), "run writes outside its buffers", n, k, m);
      ++report_->products;
    };
    const auto compare = [&](const char* how) {
      for (int32_t t = 0; t < m; ++t) {
        for (int32_t r = 0; r < n; ++r) {
          const int32_t got = args.y[t * y_stride + r], sum = want[size_t(t) * n + r];
          if (got == sum) continue;
          Need(false,
               Join(how, ", ", what, ": the sum of token ", t, ", row ", r, " is ", sum,
                    " and the kernel says ", got),
               n, k, m);
        }
      }
    };
    const auto untouched_outside = [&] {
      for (int32_t t = 0; t < mp; ++t) {
        for (int32_t c = 0; c < y_stride; ++c) {
          const bool inside =
              t >= args.m_begin && t < args.m_end && c >= args.n_begin && c < args.n_end;
          if (inside || args.y[t * y_stride + c] == kUntouched) continue;
          Need(false,
               Join("the slice [", args.m_begin, ", ", args.m_end, ") x [", args.n_begin, ", ",
                    args.n_end, ") writes to token ", t, ", row ", c),
               n, k, m);
        }
      }
    };

    y.Set(kUntouchedByte);
    run(0, mp, 0, np);
    compare("all at once");
    untouched_outside();

    // Cut at random multiples of the granules, in random order.
    const std::vector<int32_t> n_cuts = Cuts(np, layout_.n_granule);
    const std::vector<int32_t> m_cuts = Cuts(mp, kernel_.m_granule);
    std::vector<std::pair<size_t, size_t>> slices;
    for (size_t i = 0; i + 1 < n_cuts.size(); ++i) {
      for (size_t j = 0; j + 1 < m_cuts.size(); ++j) slices.emplace_back(i, j);
    }
    if (slices.size() == 1) return;
    std::shuffle(slices.begin(), slices.end(), random_);
    y.Set(kUntouchedByte);
    bool first = true;
    for (const auto& [i, j] : slices) {
      run(m_cuts[j], m_cuts[j + 1], n_cuts[i], n_cuts[i + 1]);
      if (first) untouched_outside();
      first = false;
    }
    compare("in slices");
  }

  std::vector<int32_t> Cuts(int32_t size, int32_t granule) {
    std::set<int32_t> cuts{0, size};
    for (int i = 0; i < 3; ++i) {
      cuts.insert(static_cast<int32_t>(random_() % (size / granule)) * granule);
    }
    return {cuts.begin(), cuts.end()};
  }

  const trit_kernel& kernel_;
  const trit_layout& layout_;
  const trit_act_form& form_;
  CheckReport* report_;
  std::mt19937_64 random_;
  const int sweep_;
};

}  // namespace

void CheckKernel(const trit_kernel& kernel, const CheckOptions& options, CheckReport* report) {
  ++report->kernels;
  try {
    KernelChecker(kernel, options, report).Check();
  } catch (const Fault& fault) {
    report->faults.push_back(fault.text);
  } catch (const Error& e) {
    report->faults.push_back(Join("kernel ", kernel.name, ": ", e.what()));
  }
}

}  // namespace trit::kit
