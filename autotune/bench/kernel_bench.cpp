#include "autotune/bench/kernel_bench.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <random>

#include "runtime/matmul.h"
#include "runtime/memory.h"
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

struct Slice {
  int32_t m_begin, m_end, n_begin, n_end;
};

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
  std::vector<std::vector<Slice>> slices;           // by thread
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
    std::vector<int8_t> piece;
    const int32_t step = RoundUp(256, layout.n_granule);
    for (int32_t begin = 0; begin < c.n; begin += step) {
      const int32_t end = std::min(c.n, begin + step);
      piece.resize(static_cast<size_t>(end - begin) * static_cast<size_t>(c.k));
      for (int8_t& v : piece) v = static_cast<int8_t>(static_cast<int>(rng() % 3) - 1);
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

  // The runtime's own cut; where there are more tasks than threads, each thread has a fixed run of
  // them instead of taking the next one.
  void CutSlices() {
    slices.resize(static_cast<size_t>(pool->threads()));
    const ProductGrid g =
        CutProduct(*c.kernel, c.n_per_task, c.m_per_task, np, mp, pool->threads());
    const int64_t tasks = g.n_tasks * g.m_tasks;
    for (int64_t task = 0; task < tasks; ++task) {
      const int64_t n_begin = task / g.m_tasks * g.n_step, m_begin = task % g.m_tasks * g.m_step;
      slices[static_cast<size_t>(task * pool->threads() / tasks)].push_back(
          {static_cast<int32_t>(m_begin),
           static_cast<int32_t>(std::min<int64_t>(mp, m_begin + g.m_step)),
           static_cast<int32_t>(n_begin),
           static_cast<int32_t>(std::min<int64_t>(np, n_begin + g.n_step))});
    }
  }

  int32_t Call(int thread, uint64_t copy) {
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
    for (const Slice& s : slices[static_cast<size_t>(thread)]) {
      args.m_begin = s.m_begin;
      args.m_end = s.m_end;
      args.n_begin = s.n_begin;
      args.n_end = s.n_end;
      if (const int32_t code = c.kernel->run(&args); code != TRIT_OK) return code;
    }
    return TRIT_OK;
  }

  void Check() {
    for (int t = 0; t < pool->threads(); ++t) {
      if (const int32_t code = Call(t, copies - 1); code != TRIT_OK) Fail(Join("returned ", code));
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
    double start = 0, end = 0;
    pool->Run([&](Team& team) {
      team.Barrier();
      if (team.index() == 0) start = NowNs();
      for (int64_t i = 0; i < count; ++i) {
        const int32_t code = Call(team.index(), (first + static_cast<uint64_t>(i)) % copies);
        if (code != TRIT_OK) failed.store(code);
      }
      team.Barrier();
      if (team.index() == 0) end = NowNs();
    });
    next_copy = (first + static_cast<uint64_t>(count)) % copies;
    if (failed.load() != TRIT_OK) Fail(Join("returned ", failed.load()));
    return end - start;
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
  s.CutSlices();
  s.Check();
  const double once = std::min(s.Run(1), s.Run(1));
  s.calls = std::max<int64_t>(1, static_cast<int64_t>(s.c.sample_ms * 1e6 / once));
  s.Run(s.calls);  // warms clocks and pages
}

KernelBench::~KernelBench() = default;

void KernelBench::Sample() {
  impl_->samples.push_back(impl_->Run(impl_->calls) / static_cast<double>(impl_->calls));
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
