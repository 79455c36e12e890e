// lut5: five trits in a byte, sign and seven index bits into a table of 122 int16 entries that lies
// as two byte planes in four vectors.
#include "generator/family.h"
#include "generator/select/micro_ops.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Halide::cast;
using Halide::Expr;
using Halide::Func;
using Halide::MemoryType;
using Halide::RDom;
using Halide::Var;

constexpr int kEntries = 128;

bool Supports(const Target& target) { return HasMicroOp(target, "trit_five128", 64); }

Space MakeSpace(const Target& target) {
  Space space("lut5", target.key);
  space.Ints("rows", {64, 128, 192, 256}, "rows of a granule")
      .Ints("groups", {16, 24, 27, 32, 43, 48}, "bytes (five columns) of a K block")
      .Ints("unroll", {1, 2, 3, 4}, "bytes per loop iteration")
      .Ints("prefetch", {0, 8, 16, 24, 32, 48}, "groups the weights are fetched ahead");
  return space;
}

LayoutSpec Layout(int rows, int groups) {
  LayoutSpec layout;
  layout.id = Join("lut5-r", rows, "-k", 5 * groups, ".v1");
  layout.code = "lut5";
  layout.type = Halide::UInt(8);
  layout.inner = {8, 2, 4, rows / 64, groups};
  layout.granule = rows;
  layout.k_step = 5 * groups;
  layout.k_outer = true;
  layout.fixed_type = Halide::Int(32);
  layout.fixed_count = rows;
  return layout;
}

ActFormSpec TablesForm(int groups) {
  ActFormSpec form;
  form.id = Join("fives-k", 5 * groups, ".v1");
  form.code = "fives";
  form.type = Halide::UInt(8);
  form.inner = {kEntries, 2, groups};
  form.granule = 1;
  form.k_step = 5 * groups;
  return form;
}

KernelParts Build(const Candidate& candidate, const Target&) {
  const int rows = candidate.Int("rows"), groups = candidate.Int("groups");
  const LayoutSpec layout = Layout(rows, groups);
  const ActFormSpec form = TablesForm(groups);
  KernelParts p{layout, form, MatmulBuffers(layout, form), Func("y"),
                {{8, 1}, {4, 8}, {2, 32}, {rows / 64, 64}}};

  Var b("b"), l("l"), h("h"), v("v"), g("g"), t("t"), mb("mb"), kb("kb");
  RDom k(0, groups, "k");
  const Expr byte = p.buffers.w(b, h, l, v, k, kb, g);
  const Expr entry = cast<int>(byte & cast<uint8_t>(kEntries - 1));
  const Expr value = Halide::Internal::Call::make(
      Halide::Int(16), "trit_join_signed",
      {p.buffers.act(entry, 0, k, kb, mb), p.buffers.act(entry, 1, k, kb, mb), byte},
      Halide::Internal::Call::PureExtern);
  Func acc("acc");
  acc(b, l, h, v, g, t, mb, kb) = cast<int16_t>(0);
  acc(b, l, h, v, g, t, mb, kb) += value;
  RDom blocks(0, p.buffers.WBlocks(), "blocks");
  p.y(b, l, h, v, g, t, mb) = p.buffers.w_fixed(b + 8 * l + 32 * h + 64 * v, g);
  p.y(b, l, h, v, g, t, mb) += cast<int>(acc(b, l, h, v, g, t, mb, blocks));

  const auto vectorise = [&](auto stage) { stage.vectorize(b).vectorize(l).vectorize(h).unroll(v); };
  p.y.bound(b, 0, 8).bound(l, 0, 4).bound(h, 0, 2).bound(v, 0, rows / 64).bound(t, 0, 1);
  vectorise(p.y.reorder(b, l, h, v));
  vectorise(p.y.update().reorder(b, l, h, v, t, mb, g, blocks));
  acc.compute_at(p.y, mb).store_in(MemoryType::Register).bound_extent(v, rows / 64);
  vectorise(acc.reorder(b, l, h, v));
  vectorise(acc.update().reorder(b, l, h, v, k));
  if (candidate.Int("unroll") > 1) acc.update().unroll(k, candidate.Int("unroll"));
  if (candidate.Int("prefetch") > 0) {
    acc.update().prefetch(p.buffers.w, k, k, candidate.Int("prefetch"),
                          Halide::PrefetchBoundStrategy::NonFaulting);
  }
  p.wanted = {"vpermi2b|vpermt2b"};
  return p;
}

}  // namespace

extern const Family kLut5Family;
const Family kLut5Family = {
    .name = "lut5",
    .idea = "five trits a byte, a sign and an index into 122 int16 entries in byte planes",
    .supports = Supports,
    .space = MakeSpace,
    .build = Build,
};

}  // namespace trit
