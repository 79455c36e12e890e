#include "autotune/bench/kernel_bench.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <random>

#include "runtime/matmul.h"
#include "runtime/memory.h"
#include "runtime/time_region.h"
#include "targets/base/error.h"

namespace trit {
namespace {

double NowNs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::nano>(now).count();
}

template <typename T>
T RoundUp(T x, T step) {
  return (x + step - 1) / step * step;
}

}  // namespace

struct KernelBench::Impl {
  BenchCase c;
  int32_t np, kp, mp;
  uint64_t packed_bytes, copy_bytes, copies;
  ptrdiff_t y_stride;
  ThreadPool* pool;
  std::shared_ptr<std::byte> weights, act, y;
  std::vector<std::shared_ptr<std::byte>> scratch;  // one a thread
  std::vector<int8_t> rows;                         // mp x kp
  ProductGrid grid = {};
  uint64_t next_copy = 0;
  int64_t calls = 1;  // a sample
  double prepare_ns = 0;
  std::vector<double> samples;

  [[noreturn]] void Fail(const std::string& why) const {
    throw Error(Join("the kernel ", c.kernel->name, " (", c.kernel->candidate, ") on ", c.n, " x ",
                     c.k, " with ", c.m, " tokens: ", why));
  }

  void Pack() {
    const trit_layout& layout = *c.kernel->layout;
    std::mt19937_64 rng(12345);
    // The same random rows again and again: 17 M random numbers would take longer than packing.
    const int32_t step = RoundUp(256, layout.n_granule);
    std::vector<int8_t> piece(static_cast<size_t>(std::min(c.n, step)) * static_cast<size_t>(c.k));
    for (int8_t& v : piece) v = static_cast<int8_t>(static_cast<int>(rng() % 3) - 1);
    for (int32_t begin = 0; begin < c.n; begin += step) {
      const int32_t end = std::min(c.n, begin + step);
      const int32_t code = layout.pack(piece.data(), c.k, c.n, c.k, begin, end, weights.get());
      if (code != TRIT_OK) Fail(Join("pack returned ", code));
    }
    for (uint64_t i = 1; i < copies; ++i) {
      std::memcpy(weights.get() + i * copy_bytes, weights.get(), packed_bytes);
    }
  }

  void Prepare() {
    const trit_act_form& form = *c.kernel->act_form;
    const int32_t parts = form.parts(mp, kp);
    for (int repeat = 0; repeat < 5; ++repeat) {
      const double start = NowNs();
      const int32_t code = form.prepare(rows.data(), kp, mp, kp, 0, parts, act.get());
      if (code != TRIT_OK) Fail(Join("prepare returned ", code));
      const double took = NowNs() - start;
      prepare_ns = repeat ? std::min(prepare_ns, took) : took;
    }
  }

  void Slice(int32_t n_per_task, int32_t m_per_task) {
    grid = CutProduct(*c.kernel, n_per_task, m_per_task, np, mp, pool->threads());
  }

  int64_t Tasks() const { return grid.n_tasks * grid.m_tasks; }

  int32_t Call(int thread, uint64_t copy, int64_t task) {
    trit_matmul_args args = {};
    args.struct_bytes = sizeof(args);
    args.m = mp;
    args.n = np;
    args.k = kp;
    args.kernel = c.kernel;
    args.act = act.get();
    args.w = weights.get() + copy * copy_bytes;
    args.y = reinterpret_cast<int32_t*>(y.get());
    args.y_stride = y_stride;
    args.scratch = scratch[static_cast<size_t>(thread)].get();
    args.n_begin = static_cast<int32_t>(task / grid.m_tasks * grid.n_step);
    args.n_end = static_cast<int32_t>(std::min<int64_t>(np, args.n_begin + grid.n_step));
    args.m_begin = static_cast<int32_t>(task % grid.m_tasks * grid.m_step);
    args.m_end = static_cast<int32_t>(std::min<int64_t>(mp, args.m_begin + grid.m_step));
    return c.kernel->run(&args);
  }

  void Check() {
    for (int64_t t = 0; t < Tasks(); ++t) {
      const int32_t code = Call(0, copies - 1, t);
      if (code != TRIT_OK) Fail(Join("returned ", code));
    }
    const trit_layout& layout = *c.kernel->layout;
    const int32_t granules = np / layout.n_granule;
    std::vector<int8_t> w(static_cast<size_t>(layout.n_granule) * static_cast<size_t>(c.k));
    for (int32_t g : {0, granules / 2, granules - 1}) {
      const int32_t begin = g * layout.n_granule, end = std::min(c.n, begin + layout.n_granule);
      if (layout.unpack(weights.get(), c.n, c.k, begin, end, w.data(), c.k) != TRIT_OK) {
        Fail("unpack failed");
      }
      for (int32_t m = 0; m < c.m; m += std::max(1, c.m / 3)) {
        for (int32_t n = begin; n < end; ++n) {
          const int8_t* a = rows.data() + static_cast<size_t>(m) * static_cast<size_t>(kp);
          const int8_t* b = w.data() + static_cast<size_t>(n - begin) * static_cast<size_t>(c.k);
          int32_t sum = 0;
          for (int32_t i = 0; i < c.k; ++i) sum += a[i] * b[i];
          const int32_t got = reinterpret_cast<const int32_t*>(y.get())[m * y_stride + n];
          if (got != sum) Fail(Join("y[", m, ",", n, "] is ", got, ", not ", sum));
        }
      }
    }
  }

  double Run(int64_t count) {
    std::atomic<int32_t> failed{TRIT_OK};
    const uint64_t first = next_copy;
    const double seconds = TimeRegion(*pool, [&](Team& team) {
      for (int64_t i = 0; i < count; ++i) {
        const uint64_t copy = (first + static_cast<uint64_t>(i)) % copies;
        const auto task = [&](int64_t t) {
          const int32_t code = Call(team.index(), copy, t);
          if (code != TRIT_OK) failed.store(code);
        };
        if (Tasks() <= team.count()) {
          if (team.index() < Tasks()) task(team.index());
        } else {
          team.ShareDynamic(Tasks(), task);
          if (team.count() > 1) team.Barrier();
        }
      }
    });
    next_copy = (first + static_cast<uint64_t>(count)) % copies;
    if (failed.load() != TRIT_OK) Fail(Join("returned ", failed.load()));
    return seconds * 1e9;
  }
};

KernelBench::KernelBench(const BenchCase& bench_case, ThreadPool& pool)
    : impl_(std::make_unique<Impl>()) {
  Impl& s = *impl_;
  s.pool = &pool;
  s.c = bench_case;
  const trit_kernel& kernel = *s.c.kernel;
  if (s.c.n < 1 || s.c.k < 1 || s.c.m < 1) s.Fail("a size is not positive");
  s.np = RoundUp(s.c.n, kernel.layout->n_granule);
  s.kp = RoundUp(s.c.k, kernel.layout->k_multiple);
  s.mp = RoundUp(s.c.m, kernel.m_granule);
  if (s.kp > kernel.k_max) s.Fail(Join("K is beyond the kernel's ", kernel.k_max));
  s.packed_bytes = kernel.layout->packed_bytes(s.c.n, s.c.k);
  const uint64_t act_bytes = kernel.act_form->prepared_bytes(s.mp, s.kp);
  if (!s.packed_bytes || !act_bytes) s.Fail("the layout or the activation form refuses the shape");
  s.copy_bytes = RoundUp<uint64_t>(s.packed_bytes, std::max(kernel.layout->align, 64u));
  s.copies =
      s.c.hot ? 1 : std::max<uint64_t>(2, (s.c.cold_bytes + s.copy_bytes - 1) / s.copy_bytes);
  s.weights = AllocateBlock(s.copies * s.copy_bytes);
  s.act = AllocateBlock(act_bytes);
  s.y_stride = RoundUp(s.np, 16);
  s.y = AllocateBlock(sizeof(int32_t) * static_cast<uint64_t>(s.y_stride) *
                      static_cast<uint64_t>(s.mp));
  for (int t = 0; t < pool.threads(); ++t) {
    s.scratch.push_back(AllocateBlock(kernel.scratch_bytes + 64));
  }
  std::mt19937_64 rng(99);
  s.rows.assign(static_cast<size_t>(s.mp) * static_cast<size_t>(s.kp), 0);
  for (int32_t m = 0; m < s.c.m; ++m) {
    for (int32_t i = 0; i < s.c.k; ++i) {
      s.rows[static_cast<size_t>(m) * static_cast<size_t>(s.kp) + static_cast<size_t>(i)] =
          static_cast<int8_t>(static_cast<int>(rng() % 255) - 127);
    }
  }
  s.Pack();
  s.Prepare();
  s.Slice(s.c.n_per_task, s.c.m_per_task);
  s.Check();
  const double once = std::min(s.Run(1), s.Run(1));
  s.calls = std::max<int64_t>(1, static_cast<int64_t>(s.c.sample_ms * 1e6 / once));
  s.Run(s.calls);  // warms clocks and pages
}

KernelBench::~KernelBench() = default;

void KernelBench::Sample() {
  impl_->samples.push_back(impl_->Run(impl_->calls) / static_cast<double>(impl_->calls));
}

void KernelBench::Slice(int32_t n_per_task, int32_t m_per_task) {
  impl_->Slice(n_per_task, m_per_task);
}

std::span<const std::byte> KernelBench::memory() const {
  return {impl_->weights.get(), impl_->copies * impl_->copy_bytes};
}

BenchSummary KernelBench::Summary() const {
  BenchSummary out;
  out.packed_bytes = impl_->packed_bytes;
  out.prepare_ns = impl_->prepare_ns;
  out.samples_ns = impl_->samples;
  std::vector<double> sorted = impl_->samples;
  std::sort(sorted.begin(), sorted.end());
  if (sorted.empty()) return out;
  out.median_ns = sorted[sorted.size() / 2];
  out.spread = (sorted[sorted.size() * 3 / 4] - sorted[sorted.size() / 4]) / out.median_ns;
  return out;
}

}  // namespace trit
