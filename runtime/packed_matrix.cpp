#include "runtime/packed_matrix.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "runtime/sizes.h"
#include "targets/base/error.h"

namespace trit {
namespace {

// Rows expanded at a time by one thread: enough work to share out, little enough for L2.
constexpr int64_t kPieceBytes = int64_t{1} << 20;

}  // namespace

PackedMatrix PackedMatrix::Reserve(KernelPlan plan, Arena* arena) {
  PackedMatrix out;
  const trit_layout& layout = plan.layout();
  const std::string what = Join("a tensor of ", plan.n(), " x ", plan.k());
  out.n_padded_ = PadTo(plan.n(), layout.n_granule, what);
  out.k_padded_ = PadTo(plan.k(), layout.k_multiple, what);
  out.bytes_ = layout.packed_bytes(plan.n(), plan.k());
  if (out.bytes_ == 0) throw Error(Join("layout ", layout.id, " refuses ", what));
  out.data_ = arena != nullptr ? arena->Allocate(out.bytes_, layout.align)
                               : AllocateBlock(out.bytes_, layout.align);
  out.plan_ = std::move(plan);
  return out;
}

PackedMatrix PackedMatrix::Pack(KernelPlan plan, const RowSource& source, ThreadPool& pool,
                                Arena* arena, const PackProgress& progress) {
  PackedMatrix out = Reserve(std::move(plan), arena);
  const trit_layout& layout = out.layout();
  const int32_t n = out.n(), k = out.k();
  // Big tensors in pieces of about a megabyte, small ones so that every thread gets some.
  const int64_t granule_bytes = int64_t{layout.n_granule} * k;
  const int64_t by_size = std::max<int64_t>(1, kPieceBytes / granule_bytes);
  const int64_t by_threads =
      std::max<int64_t>(1, out.n_padded_ / layout.n_granule / (int64_t{4} * pool.threads()));
  const int64_t piece_rows = std::min(by_size, by_threads) * layout.n_granule;
  const int64_t pieces = (n + piece_rows - 1) / piece_rows;
  const uint64_t piece_bytes = CheckedMul(piece_rows, k, "rows to pack");
  std::mutex progress_mutex;
  int32_t rows_done = 0;
  pool.Run([&](Team& team) {
    int8_t* trits = reinterpret_cast<int8_t*>(team.Scratch(piece_bytes, 1));
    team.ShareDynamic(pieces, [&](int64_t piece) {
      const int32_t begin = static_cast<int32_t>(piece * piece_rows);
      const int32_t end = static_cast<int32_t>(std::min<int64_t>(n, begin + piece_rows));
      source(begin, end, trits);
      const int32_t status = layout.pack(trits, k, n, k, begin, end, out.data_.get());
      if (status != TRIT_OK) {
        throw Error(Join("packing rows ", begin, " to ", end - 1, " of a ", n, " x ", k,
                         " tensor into layout ", layout.id, ": ", StatusText(status)));
      }
      if (!progress) return;
      std::lock_guard lock(progress_mutex);
      rows_done += end - begin;
      progress(rows_done, n);
    });
  });
  return out;
}

void PackedMatrix::Unpack(int32_t row_begin, int32_t row_end, int8_t* out) const {
  const trit_layout& l = layout();
  if (row_begin < 0 || row_begin >= row_end || row_end > n() || row_begin % l.n_granule != 0 ||
      (row_end != n() && row_end % l.n_granule != 0)) {
    throw Error(Join("rows ", row_begin, " to ", row_end, " of ", n(),
                     " cannot be unpacked: layout ", l.id, " has granules of ", l.n_granule));
  }
  const int32_t status = l.unpack(data_.get(), n(), k(), row_begin, row_end, out, k());
  if (status != TRIT_OK) {
    throw Error(Join("unpacking layout ", l.id, ": ", StatusText(status)));
  }
}

}  // namespace trit
