#include "generator/families/common/columns.h"

#include <algorithm>

#include "targets/base/error.h"

namespace trit {

using Halide::cast;
using Halide::Expr;
using Halide::Func;
using Halide::MemoryType;
using Halide::RDom;
using Halide::Var;

namespace {

constexpr int kColumnsOfASum = 128;

ActFormSpec ColumnsForm(int tokens, int k_step) {
  ActFormSpec form;
  form.id = Join("columns-m", tokens, "-k", k_step, ".v1");
  form.code = "columns";
  form.type = Halide::Int(8);
  form.inner = {tokens, k_step};
  form.granule = tokens;
  form.k_step = k_step;
  form.align = tokens % 64 == 0 ? 64 : 16;
  return form;
}

std::vector<Expr> Args(std::vector<Expr> first, const std::vector<Var>& rows,
                       const std::vector<Expr>& last) {
  first.insert(first.end(), rows.begin(), rows.end());
  first.insert(first.end(), last.begin(), last.end());
  return first;
}
std::vector<Var> Vars(std::vector<Var> first, const std::vector<Var>& rows,
                      const std::vector<Var>& last) {
  first.insert(first.end(), rows.begin(), rows.end());
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

}  // namespace

KernelParts BuildColumns(const ColumnsPlan& plan, const Target& target) {
  const int tokens = plan.tokens, k_step = plan.layout.k_step;
  const int lanes = std::min(tokens, target.vector_bytes / 2);
  // Steps whose sums fit int16, a divisor of the K block's.
  int part_steps = plan.steps;
  const int columns = k_step / plan.steps;
  for (int parts = 1; part_steps * columns > kColumnsOfASum || plan.steps % part_steps; ++parts) {
    part_steps = plan.steps / parts;
  }
  const int parts = plan.steps / part_steps;

  const ActFormSpec form = ColumnsForm(tokens, k_step);
  KernelParts p{plan.layout, form, MatmulBuffers(plan.layout, form), Func("y"), plan.y_inner};
  p.m_granule = tokens;

  ColumnsPlace at;
  for (size_t d = 0; d < plan.y_inner.size(); ++d) at.rows.emplace_back(Join("r", d));
  Var lo("lo"), hi("hi"), i("i"), q("q"), part("part"), t("t"), go("go"), gi("gi");
  const auto& [rows, g, kb, mb, m] = at;

  const auto x = [&](int j) {
    return cast<int16_t>(p.buffers.act(m, plan.column(i, q, j), kb, mb));
  };
  Func low("low"), high("high"), table("table"), acc("acc"), wide("wide");
  low(m, lo, i, q, kb, mb) = plan.low_half(lo, x);
  high(m, hi, i, q, kb, mb) = plan.high_half(hi, x);
  table(m, lo, hi, i, q, kb, mb) = low(m, lo, i, q, kb, mb) + high(m, hi, i, q, kb, mb);

  RDom k(0, plan.lookups, 0, part_steps, "k");
  const Expr step = k.y + part_steps * part;
  // Packers make no other entries; unclamped, tables would hold every value of the bits.
  const auto index = plan.index(p.buffers, at, k.x, step);
  const Expr a = Halide::unsafe_promise_clamped(index.first, 0, plan.low - 1);
  const Expr b = Halide::unsafe_promise_clamped(index.second, 0, plan.high - 1);
  acc(Vars({m}, rows, {g, mb, kb, part})) = cast<int16_t>(0);
  acc(Vars({m}, rows, {g, mb, kb, part})) += table(m, a, b, k.x, step, kb, mb);
  RDom blocks(0, parts, 0, p.buffers.WBlocks(), "blocks");
  wide(Vars({m}, rows, {g, mb})) = 0;
  wide(Vars({m}, rows, {g, mb})) +=
      cast<int>(acc(Args({m}, rows, {g, mb, Expr(blocks.y), Expr(blocks.x)})));
  p.y(Vars({}, rows, {g, t, mb})) = wide(Args({t}, rows, {g, mb}));

  int granule = 1;
  for (size_t d = 0; d < rows.size(); ++d) {
    p.y.bound(rows[d], 0, plan.y_inner[d].extent);
    granule *= plan.y_inner[d].extent;
  }
  p.y.bound(t, 0, tokens).split(g, go, gi, plan.cache, Halide::TailStrategy::GuardWithIf);
  std::vector<Halide::VarOrRVar> copy;
  for (const Var& r : rows) copy.emplace_back(r);
  for (const Var& v : {gi, t, go, mb}) copy.emplace_back(v);
  p.y.reorder(copy);
  wide.compute_at(p.y, go).store_in(MemoryType::Heap).bound(m, 0, tokens);
  wide.vectorize(m, lanes);
  std::vector<Halide::VarOrRVar> order{m};
  for (const Var& r : rows) order.emplace_back(r);
  auto with = [&](std::vector<Halide::VarOrRVar> more) {
    std::vector<Halide::VarOrRVar> out = order;
    out.insert(out.end(), more.begin(), more.end());
    return out;
  };
  wide.update().reorder(with({g, blocks.x, blocks.y})).vectorize(m, lanes).unroll(m);
  acc.compute_at(wide, blocks.x).store_in(MemoryType::Heap).bound(m, 0, tokens);
  acc.vectorize(m, lanes);
  std::vector<Halide::VarOrRVar> inner{m, k.x};
  for (const Var& r : rows) inner.emplace_back(r);
  inner.emplace_back(g);
  inner.emplace_back(k.y);
  acc.update().reorder(inner).vectorize(m, lanes).unroll(m).unroll(k.x);
  table.compute_at(acc, k.y).store_in(MemoryType::Heap).bound(m, 0, tokens);
  table.bound(lo, 0, plan.low).bound(hi, 0, plan.high).bound(i, 0, plan.lookups);
  table.align_storage(lo, plan.stride).reorder(m, lo, hi, i).vectorize(m, lanes).unroll(m);
  for (Func* half : {&low, &high}) {
    half->compute_at(table, i).store_in(MemoryType::Stack).bound(m, 0, tokens);
    half->vectorize(m, lanes);
  }
  low.bound(lo, 0, plan.low).unroll(lo);
  high.bound(hi, 0, plan.high).unroll(hi);

  p.scratch_bytes = tokens * granule * plan.cache * 6 +
                    2 * tokens * plan.stride * plan.high * plan.lookups + 4 * 256;
  p.wanted = {"paddw|add"};
  return p;
}

}  // namespace trit
