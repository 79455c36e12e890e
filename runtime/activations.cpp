#include "runtime/activations.h"

#include <algorithm>
#include <cstring>

#include "runtime/memory.h"
#include "runtime/sizes.h"
#include "targets/base/error.h"

namespace trit {
namespace {

// Blocks up to this size are prepared by every thread of a small team for itself. One token of
// lut3w at K = 6912 is 147 KB of tables: shared out on two Zen 4 cores, preparing cost 0.9 ms of a
// 24 ms token of BitNet 2B4T (each core first fetches the lines that the other one read), against
// 0.23 ms when one core prepares all for itself.
constexpr uint64_t kOwnBytes = uint64_t{256} << 10;
constexpr int kOwnThreads = 4;

}  // namespace

Activations::Activations(const KernelSet& kernels, int32_t m_max, int32_t k, int threads)
    : m_max_(m_max), k_(k), threads_(threads) {
  if (m_max <= 0 || k <= 0 || threads <= 0) {
    throw Error(Join("activations of ", m_max, " tokens x ", k, " for ", threads,
                     " threads: every size is at least 1"));
  }
  const std::string what = Join("activations of ", m_max, " tokens x ", k);
  m_granule_max_ = kernels.max_m_granule();
  row_stride_ =
      static_cast<ptrdiff_t>(RoundUp(CheckedAdd(k, kernels.max_k_multiple() - 1, what), 64));
  rows_capacity_ = static_cast<int64_t>(m_max) + m_granule_max_ - 1;
  auto block = AllocateBlock(CheckedMul(rows_capacity_, row_stride_, what));
  rows_ = {block, reinterpret_cast<int8_t*>(block.get())};
  scales_.resize(m_max);
  zero_end_ = rows_capacity_;
}

void Activations::Reset(int32_t m) {
  if (m < 1 || m > m_max_) {
    throw Error(Join(m, " tokens do not fit into activations made for 1 to ", m_max_));
  }
  m_ = m;
  generation_ += 1;
  // Tokens that a kernel's granule adds must be zero; earlier content may lie there. Rows
  // [zero_begin_, zero_end_) are known to be zero.
  const int64_t need_end = int64_t{m} + m_granule_max_ - 1;
  zero_begin_ = std::max<int64_t>(zero_begin_, m);
  if (zero_begin_ <= m && need_end <= zero_end_) return;
  std::memset(Row(m), 0, static_cast<size_t>((need_end - m) * row_stride_));
  zero_begin_ = m;
  zero_end_ = need_end;
}

Activations::Form& Activations::FindForm(const trit_act_form& form, int32_t m_padded,
                                         int32_t k_padded) {
  std::lock_guard lock(forms_mutex_);
  for (const auto& f : forms_) {
    if (f->m_padded != m_padded || f->k_padded != k_padded || f->id != form.id) continue;
    f->generation = generation_;
    return *f;
  }
  // Blocks of other token counts are not needed again before the next change of m: one block a
  // form and K is reused for all of them.
  for (const auto& f : forms_) {
    if (f->k_padded == k_padded && f->id == form.id && f->generation != generation_) {
      f->m_padded = m_padded;
      f->generation = generation_;
      return *f;
    }
  }
  auto added = std::make_unique<Form>();
  added->id = form.id;
  added->m_padded = m_padded;
  added->k_padded = k_padded;
  added->generation = generation_;
  added->views.resize(threads_);
  forms_.push_back(std::move(added));
  return *forms_.back();
}

const std::byte* Activations::Prepare(Team& team, const trit_kernel& kernel, int32_t k_padded) {
  const trit_act_form& form = *kernel.act_form;
  if (m_ == 0) throw Error("activations were used before Reset gave them a token count");
  if (team.count() > threads_) {
    throw Error(Join("activations made for ", threads_, " threads are used by ", team.count()));
  }
  if (k_padded < k_ || k_padded > row_stride_ || kernel.m_granule > m_granule_max_) {
    throw Error(Join("kernel ", kernel.name, " pads K to ", k_padded, " and tokens to ",
                     kernel.m_granule, ": more than these activations of K = ", k_,
                     " were made for"));
  }
  const int32_t m_padded = PadTo(m_, kernel.m_granule, "tokens");
  Form& slot = FindForm(form, m_padded, k_padded);
  Form::View& view = slot.views[team.index()];
  if (view.generation == generation_) return view.data;
  const int32_t parts = form.parts(m_padded, k_padded);
  if (parts < 1) throw Error(Join("activation form ", form.id, " has ", parts, " parts"));
  const uint64_t bytes = form.prepared_bytes(m_padded, k_padded);
  if (bytes == 0) {
    throw Error(Join("activation form ", form.id, " refuses ", m_padded, " tokens x ", k_padded));
  }
  const auto prepare = [&](int64_t begin, int64_t end, std::byte* to) {
    const int32_t status = form.prepare(rows_.get(), row_stride_, m_padded, k_padded,
                                        static_cast<int32_t>(begin), static_cast<int32_t>(end), to);
    if (status != TRIT_OK) {
      throw Error(Join("preparing activation form ", form.id, ": ", StatusText(status)));
    }
  };
  if (bytes <= kOwnBytes && team.count() <= kOwnThreads) {
    if (view.own_bytes < bytes || view.own_align < form.align) {
      view.own.reset();
      view.own_align = std::max(view.own_align, form.align);
      view.own = AllocateBlock(bytes, view.own_align);
      view.own_bytes = bytes;
    }
    prepare(0, parts, view.own.get());
    view.data = view.own.get();
    view.generation = generation_;
    return view.data;
  }
  std::byte* prepared = nullptr;
  {
    std::lock_guard lock(slot.mutex);
    if (slot.ready_for != generation_) {  // first thread here: make room
      if (slot.bytes < bytes || slot.align < form.align) {
        slot.data.reset();
        slot.align = std::max(slot.align, form.align);
        slot.data = AllocateBlock(bytes, slot.align);
        slot.bytes = bytes;
      }
      slot.ready_for = generation_;
    }
    prepared = slot.data.get();
  }
  team.Share(parts, [&](int64_t begin, int64_t end) { prepare(begin, end, prepared); });
  view.data = prepared;
  view.generation = generation_;
  team.Barrier();
  return view.data;
}

}  // namespace trit
