#include "autotune/bench/kernel_bench.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <functional>
#include <random>
#include <thread>

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

double NowNs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::nano>(now).count();
}

template <typename T>
T RoundUp(T x, T step) {
  return (x + step - 1) / step * step;
}

class HugeBuffer {
 public:
  explicit HugeBuffer(uint64_t bytes) : bytes_(RoundUp<uint64_t>(bytes, kHugePage) + kHugePage) {
    base_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base_ == MAP_FAILED) throw Error(Join("no memory for ", bytes, " bytes of test data"));
    const auto at = RoundUp(reinterpret_cast<uintptr_t>(base_), uintptr_t{kHugePage});
    data_ = reinterpret_cast<uint8_t*>(at);
    madvise(data_, bytes_ - kHugePage, MADV_HUGEPAGE);
  }
  ~HugeBuffer() { munmap(base_, bytes_); }
  HugeBuffer(const HugeBuffer&) = delete;
  HugeBuffer& operator=(const HugeBuffer&) = delete;
  uint8_t* data() const { return data_; }

 private:
  uint64_t bytes_;
  void* base_;
  uint8_t* data_;
};

void OnThreads(int threads, const std::function<void(int)>& fn) {
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(fn, i);
  fn(0);
  for (std::thread& t : others) t.join();
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
  std::unique_ptr<HugeBuffer> weights, act, y;
  std::vector<std::unique_ptr<HugeBuffer>> scratch;  // one a thread
  std::vector<int8_t> rows;                          // mp x kp
  std::vector<std::vector<Slice>> slices;            // by thread
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
      const int32_t code = layout.pack(piece.data(), c.k, c.n, c.k, begin, end, weights->data());
      if (code != TRIT_OK) Fail(Join("pack returned ", code));
    }
    for (uint64_t i = 1; i < copies; ++i) {
      std::memcpy(weights->data() + i * copy_bytes, weights->data(), packed_bytes);
    }
  }

  void Prepare() {
    const trit_act_form& form = *c.kernel->act_form;
    const int32_t parts = form.parts(mp, kp);
    for (int repeat = 0; repeat < 5; ++repeat) {
      const double start = NowNs();
      const int32_t code = form.prepare(rows.data(), kp, mp, kp, 0, parts, act->data());
      if (code != TRIT_OK) Fail(Join("prepare returned ", code));
      const double took = NowNs() - start;
      prepare_ns = repeat ? std::min(prepare_ns, took) : took;
    }
  }

  void CutSlices() {
    const int32_t granule = c.kernel->layout->n_granule;
    slices.resize(static_cast<size_t>(c.threads));
    const int32_t granules = np / granule;
    const int32_t m_step = c.m_per_task ? RoundUp(c.m_per_task, c.kernel->m_granule) : mp;
    const int32_t n_step =
        c.n_per_task ? std::max(1, c.n_per_task / granule) : granules;  // in granules
    for (int t = 0; t < c.threads; ++t) {
      const int32_t first = static_cast<int32_t>(int64_t{granules} * t / c.threads);
      const int32_t last = static_cast<int32_t>(int64_t{granules} * (t + 1) / c.threads);
      for (int32_t g = first; g < last; g += n_step) {
        for (int32_t m = 0; m < mp; m += m_step) {
          slices[static_cast<size_t>(t)].push_back(
              {m, std::min(mp, m + m_step), g * granule, std::min(last, g + n_step) * granule});
        }
      }
    }
  }

  int32_t Call(int thread, uint64_t copy) {
    trit_matmul_args args = {};
    args.struct_bytes = sizeof(args);
    args.m = mp;
    args.n = np;
    args.k = kp;
    args.kernel = c.kernel;
    args.act = act->data();
    args.w = weights->data() + copy * copy_bytes;
    args.y = reinterpret_cast<int32_t*>(y->data());
    args.y_stride = y_stride;
    args.scratch = scratch[static_cast<size_t>(thread)]->data();
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
    for (int t = 0; t < c.threads; ++t) {
      if (const int32_t code = Call(t, copies - 1); code != TRIT_OK) Fail(Join("returned ", code));
    }
    const trit_layout& layout = *c.kernel->layout;
    const int32_t granules = np / layout.n_granule;
    std::vector<int8_t> w(static_cast<size_t>(layout.n_granule) * static_cast<size_t>(c.k));
    for (int32_t g : {0, granules / 2, granules - 1}) {
      const int32_t begin = g * layout.n_granule, end = std::min(c.n, begin + layout.n_granule);
      if (layout.unpack(weights->data(), c.n, c.k, begin, end, w.data(), c.k) != TRIT_OK) {
        Fail("unpack failed");
      }
      for (int32_t m = 0; m < c.m; m += std::max(1, c.m / 3)) {
        for (int32_t n = begin; n < end; ++n) {
          const int8_t* a = rows.data() + static_cast<size_t>(m) * static_cast<size_t>(kp);
          const int8_t* b = w.data() + static_cast<size_t>(n - begin) * static_cast<size_t>(c.k);
          int32_t sum = 0;
          for (int32_t i = 0; i < c.k; ++i) sum += a[i] * b[i];
          const int32_t got = reinterpret_cast<const int32_t*>(y->data())[m * y_stride + n];
          if (got != sum) Fail(Join("y[", m, ",", n, "] is ", got, ", not ", sum));
        }
      }
    }
  }

  double Run(int64_t count) {
    std::atomic<int> ready{0};
    std::atomic<bool> go{false};
    std::atomic<int32_t> failed{TRIT_OK};
    const uint64_t first = next_copy;
    double start = 0;
    OnThreads(c.threads, [&](int t) {
      if (t == 0) {
        while (ready.load() != c.threads - 1) {
        }
        start = NowNs();
        go.store(true);
      } else {
        ready.fetch_add(1);
        while (!go.load()) {
        }
      }
      for (int64_t i = 0; i < count; ++i) {
        const int32_t code = Call(t, (first + static_cast<uint64_t>(i)) % copies);
        if (code != TRIT_OK) failed.store(code);
      }
    });
    const double took = NowNs() - start;
    next_copy = (first + static_cast<uint64_t>(count)) % copies;
    if (failed.load() != TRIT_OK) Fail(Join("returned ", failed.load()));
    return took;
  }
};

KernelBench::KernelBench(const BenchCase& bench_case) : impl_(std::make_unique<Impl>()) {
  Impl& s = *impl_;
  s.c = bench_case;
  const trit_kernel& kernel = *s.c.kernel;
  if (s.c.n < 1 || s.c.k < 1 || s.c.m < 1 || s.c.threads < 1) s.Fail("a size is not positive");
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
  s.weights = std::make_unique<HugeBuffer>(s.copies * s.copy_bytes);
  s.act = std::make_unique<HugeBuffer>(act_bytes);
  s.y_stride = RoundUp(s.np, 16);
  s.y = std::make_unique<HugeBuffer>(sizeof(int32_t) * static_cast<uint64_t>(s.y_stride) *
                                     static_cast<uint64_t>(s.mp));
  for (int t = 0; t < s.c.threads; ++t) {
    s.scratch.push_back(std::make_unique<HugeBuffer>(kernel.scratch_bytes + 64));
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
