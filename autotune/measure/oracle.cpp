#include "autotune/measure/oracle.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "autotune/stats/random.h"
#include "targets/base/error.h"

namespace trit {
namespace {

constexpr size_t kGuard = 256;
constexpr uint8_t kGuardByte = 0xa5;

int32_t Pad(int32_t x, int32_t granule) {
  return (x + granule - 1) / granule * granule;
}

// Aligned memory with guard bytes on both sides.
class Guarded {
 public:
  Guarded(uint64_t bytes, size_t align) : bytes_(bytes), align_(std::max<size_t>(align, kGuard)) {
    const size_t total = (bytes + 2 * align_ + align_ - 1) / align_ * align_;
    base_.reset(static_cast<uint8_t*>(std::aligned_alloc(align_, total)));
    if (!base_) throw Error(Join("no memory for ", bytes, " bytes of a check"));
    total_ = total;
    std::memset(base_.get(), kGuardByte, total);
  }
  uint8_t* data() { return base_.get() + align_; }
  bool Intact() const {
    const uint8_t* all = base_.get();
    const auto guard = [](uint8_t b) { return b == kGuardByte; };
    return std::all_of(all, all + align_, guard) &&
           std::all_of(all + align_ + bytes_, all + total_, guard);
  }

 private:
  struct Free {
    void operator()(uint8_t* p) const { std::free(p); }
  };
  uint64_t bytes_;
  size_t align_, total_;
  std::unique_ptr<uint8_t, Free> base_;
};

struct Problem {
  int32_t m, n, k;
  std::function<int8_t(int32_t m, int32_t k)> act;
  std::function<int8_t(int32_t n, int32_t k)> weight;
  bool slices = false;
};

std::string Solve(const trit_kernel& kernel, const Problem& p) {
  const trit_layout& layout = *kernel.layout;
  const trit_act_form& form = *kernel.act_form;
  const std::string where = Join("m=", p.m, " n=", p.n, " k=", p.k, ": ");
  const int32_t mp = Pad(p.m, kernel.m_granule), np = Pad(p.n, layout.n_granule),
                kp = Pad(p.k, layout.k_multiple);
  const uint64_t packed_bytes = layout.packed_bytes(p.n, p.k);
  const uint64_t act_bytes = form.prepared_bytes(mp, kp);
  if (packed_bytes == 0) return where + "the layout refuses the shape";
  if (act_bytes == 0) return where + "the activation form refuses the shape";

  std::vector<int8_t> trits(static_cast<size_t>(p.n) * static_cast<size_t>(p.k));
  for (int32_t n = 0; n < p.n; ++n) {
    for (int32_t k = 0; k < p.k; ++k) {
      trits[static_cast<size_t>(n) * static_cast<size_t>(p.k) + static_cast<size_t>(k)] =
          p.weight(n, k);
    }
  }
  std::vector<int8_t> rows(static_cast<size_t>(mp) * static_cast<size_t>(kp), 0);
  for (int32_t m = 0; m < p.m; ++m) {
    for (int32_t k = 0; k < p.k; ++k) {
      rows[static_cast<size_t>(m) * static_cast<size_t>(kp) + static_cast<size_t>(k)] = p.act(m, k);
    }
  }
  Guarded packed(packed_bytes, layout.align), act(act_bytes, form.align);
  int32_t code = layout.pack(trits.data(), p.k, p.n, p.k, 0, p.n, packed.data());
  if (code != TRIT_OK) return Join(where, "pack returned ", code);
  code = form.prepare(rows.data(), kp, mp, kp, 0, form.parts(mp, kp), act.data());
  if (code != TRIT_OK) return Join(where, "prepare returned ", code);

  const ptrdiff_t y_stride = Pad(np, 16);
  Guarded y(static_cast<uint64_t>(mp) * static_cast<uint64_t>(y_stride) * 4, 64);
  Guarded scratch(kernel.scratch_bytes, 64);
  trit_matmul_args args = {};
  args.struct_bytes = sizeof(args);
  args.m = mp, args.n = np, args.k = kp;
  args.kernel = &kernel;
  args.act = act.data();
  args.w = packed.data();
  args.y = reinterpret_cast<int32_t*>(y.data());
  args.y_stride = y_stride;
  args.scratch = scratch.data();
  const int32_t m_step = p.slices ? kernel.m_granule : mp;
  const int32_t n_step = p.slices ? layout.n_granule : np;
  for (int32_t m = 0; m < mp; m += m_step) {
    for (int32_t n = 0; n < np; n += n_step) {
      args.m_begin = m, args.m_end = m + m_step;
      args.n_begin = n, args.n_end = n + n_step;
      code = kernel.run(&args);
      if (code != TRIT_OK) return Join(where, "the kernel returned ", code);
    }
  }
  for (int32_t m = 0; m < p.m; ++m) {
    for (int32_t n = 0; n < p.n; ++n) {
      const int8_t* a = &rows[static_cast<size_t>(m) * static_cast<size_t>(kp)];
      const int8_t* w = &trits[static_cast<size_t>(n) * static_cast<size_t>(p.k)];
      int32_t sum = 0;
      for (int32_t k = 0; k < p.k; ++k) sum += a[k] * w[k];
      const int32_t got = args.y[m * y_stride + n];
      if (got != sum) return Join(where, "y[", m, ",", n, "] is ", got, ", not ", sum);
    }
  }
  const struct {
    const Guarded& memory;
    const char* name;
  } guards[] = {{packed, "the packed weights"},
                {act, "the prepared activations"},
                {y, "the sums"},
                {scratch, "the scratch memory"}};
  for (const auto& guard : guards) {
    if (!guard.memory.Intact()) return Join(where, "bytes outside ", guard.name, " were written");
  }
  return "";
}

}  // namespace

std::string CheckKernel(const trit_kernel& kernel, uint64_t seed) {
  Random random(seed);
  const auto random_act = [&](int32_t, int32_t) {
    return static_cast<int8_t>(static_cast<int>(random.Below(256)) - 128);
  };
  const auto random_weight = [&](int32_t, int32_t) {
    return static_cast<int8_t>(static_cast<int>(random.Below(3)) - 1);
  };
  const int32_t granule = kernel.layout->n_granule, step = kernel.layout->k_multiple;
  const int32_t tokens = std::max(1, std::min(kernel.m_granule + 1, kernel.m_max));
  const int32_t k_most = std::min<int32_t>(kernel.k_max, 6912) / step * step;
  std::vector<Problem> problems;
  problems.push_back({1, 1, 1, random_act, random_weight});
  problems.push_back(
      {tokens, granule + 3, std::min(k_most, 3 * step + 1), random_act, random_weight, true});
  problems.push_back({tokens, 2 * granule, std::min(k_most, 640), random_act, random_weight});
  for (const int sign : {1, -1}) {
    for (const int value : {127, -128}) {
      problems.push_back({1, std::min(granule, 64), k_most,
                          [value](int32_t, int32_t) { return static_cast<int8_t>(value); },
                          [sign](int32_t, int32_t) { return static_cast<int8_t>(sign); }});
    }
  }
  // Extremes that change sign along K: partial sums swing as far as they can.
  problems.push_back(
      {tokens, std::min(granule, 64), k_most,
       [](int32_t, int32_t k) { return static_cast<int8_t>(k / 48 % 2 ? 127 : -128); },
       [](int32_t n, int32_t k) { return static_cast<int8_t>((n + k / 48) % 2 ? 1 : -1); }});
  for (const Problem& problem : problems) {
    const std::string fault = Solve(kernel, problem);
    if (!fault.empty()) return fault;
  }
  return "";
}

}  // namespace trit
