#include "runtime/matmul.h"

#include <algorithm>

#include "runtime/memory.h"
#include "runtime/sizes.h"
#include "targets/base/error.h"

namespace trit {
namespace {

// Token ranges of at least this many cost no more than row ranges.
constexpr int64_t kLongRange = 64;

int64_t CeilDiv(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// The most work of one thread when `units` go to `threads` in contiguous even pieces.
int64_t Largest(int64_t units, int threads) {
  return CeilDiv(units, threads);
}

void Multiply(Team& team, const PackedMatrix& w, Activations& a, Sums* y,
              const Epilogue* epilogue) {
  if (w.data() == nullptr) throw Error("a matrix product with an empty weight matrix");
  if (a.k() != w.k()) {
    throw Error(Join("activations of K = ", a.k(), " do not fit weights of ", w.n(), " x ", w.k()));
  }
  const KernelChoice& choice = w.plan().For(a.m());
  const trit_kernel& kernel = *choice.kernel;
  const int32_t m_padded = PadTo(a.m(), kernel.m_granule, "tokens");
  if (y != nullptr && (y->stride() < w.n_padded() || y->rows() < m_padded)) {
    throw Error(Join("sums for ", y->rows(), " x ", y->stride(), " do not hold ", m_padded, " x ",
                     w.n_padded()));
  }
  trit_matmul_args args{};
  args.struct_bytes = sizeof(args);
  args.m = m_padded;
  args.n = w.n_padded();
  args.k = w.k_padded();
  args.kernel = &kernel;
  args.act = a.Prepare(team, kernel, w.k_padded());
  args.w = w.data();
  args.scratch = kernel.scratch_bytes == 0 ? nullptr : team.Scratch(kernel.scratch_bytes, 0);

  // What a choice says of tasks is for as many threads as the plan was made for.
  const bool planned = team.count() == w.plan().threads();
  const ProductGrid grid =
      CutProduct(kernel, planned ? choice.n_per_task : 0, planned ? choice.m_per_task : 0, args.n,
                 args.m, team.count());
  const auto run = [&](int64_t task) {
    // Tokens change fastest: neighbouring tasks read the same weights.
    const int64_t n_task = task / grid.m_tasks, m_task = task % grid.m_tasks;
    args.n_begin = static_cast<int32_t>(n_task * grid.n_step);
    args.n_end = static_cast<int32_t>(std::min<int64_t>(args.n, args.n_begin + grid.n_step));
    args.m_begin = static_cast<int32_t>(m_task * grid.m_step);
    args.m_end = static_cast<int32_t>(std::min<int64_t>(args.m, args.m_begin + grid.m_step));
    const int32_t* first;  // the slice's first sum
    if (y != nullptr) {
      args.y = y->Row(0);
      args.y_stride = y->stride();
      first = args.y + args.m_begin * args.y_stride + args.n_begin;
    } else {
      // A block for this slice alone, addressed as if it were the whole output. It begins at a
      // multiple of 16 columns, so that the whole output's (imagined) origin is aligned to 64.
      const int32_t column = args.n_begin / 16 * 16;
      args.y_stride = static_cast<ptrdiff_t>(RoundUp(args.n_end - column, 16));
      const uint64_t bytes =
          CheckedMul(CheckedMul(args.m_end - args.m_begin, args.y_stride, "sums"), 4, "sums");
      const uintptr_t block = reinterpret_cast<uintptr_t>(team.Scratch(bytes, 2));
      const ptrdiff_t offset = args.m_begin * args.y_stride + column;
      args.y = reinterpret_cast<int32_t*>(block - static_cast<uintptr_t>(offset * 4));
      first = reinterpret_cast<const int32_t*>(block) + (args.n_begin - column);
    }
    const int32_t status = kernel.run(&args);
    if (status != TRIT_OK) {
      throw Error(Join("kernel ", kernel.name, " on ", w.n(), " x ", w.k(), ", ", a.m(),
                       " tokens: ", StatusText(status)));
    }
    if (epilogue == nullptr) return;
    const MatMulSlice slice{args.m_begin, std::min(args.m_end, a.m()),
                            args.n_begin, std::min(args.n_end, w.n()),
                            first,        args.y_stride};
    if (slice.m_begin < slice.m_end && slice.n_begin < slice.n_end) (*epilogue)(slice);
  };
  const int64_t tasks = grid.n_tasks * grid.m_tasks;
  if (tasks <= team.count()) {
    if (team.index() < tasks) run(team.index());
  } else {
    team.ShareDynamic(tasks, run);
  }
}

}  // namespace

ProductGrid CutProduct(const trit_kernel& kernel, int32_t n_per_task, int32_t m_per_task,
                       int32_t n_padded, int32_t m_padded, int threads) {
  const int64_t n_granule = kernel.layout->n_granule, m_granule = kernel.m_granule;
  const int64_t n_units = n_padded / n_granule, m_units = m_padded / m_granule;
  // The most work of one thread, in products of units.
  const int64_t by_rows = Largest(n_units, threads) * m_units;
  const int64_t by_tokens = Largest(m_units, threads) * n_units;
  const bool long_ranges = Largest(m_units, threads) * m_granule >= kLongRange;
  ProductGrid g{n_padded, m_padded, 1, 1};
  if (n_per_task > 0 || m_per_task > 0) {
    if (n_per_task > 0) g.n_step = CeilDiv(n_per_task, n_granule) * n_granule;
    if (m_per_task > 0) g.m_step = CeilDiv(m_per_task, m_granule) * m_granule;
  } else if (by_tokens < by_rows || (long_ranges && by_tokens <= by_rows + by_rows / 32)) {
    g.m_step = Largest(m_units, threads) * m_granule;
  } else {
    g.n_step = Largest(n_units, threads) * n_granule;
  }
  g.n_tasks = CeilDiv(n_padded, g.n_step);
  g.m_tasks = CeilDiv(m_padded, g.m_step);
  return g;
}

Sums::Sums(const KernelSet& kernels, int32_t m_max, int32_t n_max) {
  if (m_max <= 0 || n_max <= 0) {
    throw Error(Join("sums of ", m_max, " tokens x ", n_max, ": every size is at least 1"));
  }
  const std::string what = Join("sums of ", m_max, " tokens x ", n_max);
  const uint64_t stride = RoundUp(CheckedAdd(n_max, kernels.max_n_granule() - 1, what), 16);
  const uint64_t rows = CheckedAdd(m_max, kernels.max_m_granule() - 1, what);
  auto block = AllocateBlock(CheckedMul(CheckedMul(rows, stride, what), sizeof(int32_t), what));
  data_ = {block, reinterpret_cast<int32_t*>(block.get())};
  stride_ = static_cast<ptrdiff_t>(stride);
  rows_ = static_cast<int32_t>(std::min<uint64_t>(rows, INT32_MAX));
}

void MatMul(Team& team, const PackedMatrix& w, Activations& a, Sums& y) {
  Multiply(team, w, a, &y, nullptr);
}

void MatMul(Team& team, const PackedMatrix& w, Activations& a, Sums& y, Epilogue epilogue) {
  Multiply(team, w, a, &y, &epilogue);
}

void MatMul(Team& team, const PackedMatrix& w, Activations& a, Epilogue epilogue) {
  Multiply(team, w, a, nullptr, &epilogue);
}

}  // namespace trit
