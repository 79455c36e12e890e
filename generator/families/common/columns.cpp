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

constexpr int kColumnsOfASum = 256;  // the last step of them apart
constexpr int kLookupsOfAWord = 4;

ActFormSpec ColumnsForm(int tokens, int k_step) {
  if (tokens % 16) throw Error(Join("columns of ", tokens, " tokens, no multiple of 16"));
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
  const int tokens = plan.tokens, k_step = plan.layout.k_step, entries = plan.low * plan.high;
  const int lanes = std::min(tokens, target.vector_bytes / 2);
  const int words = (plan.lookups + kLookupsOfAWord - 1) / kLookupsOfAWord;
  if (entries > 256) throw Error(Join("tables of ", entries, " entries, more than a byte counts"));
  // Steps summed before they are widened, a divisor of the K block's.
  int part_steps = plan.steps;
  const int columns = k_step / plan.steps;
  for (int parts = 1; part_steps * columns > kColumnsOfASum || plan.steps % part_steps; ++parts) {
    part_steps = plan.steps / parts;
  }
  const int parts = plan.steps / part_steps;

  const ActFormSpec form = ColumnsForm(tokens, k_step);
  KernelParts p{plan.layout, form, MatmulBuffers(plan.word ? plan.view : plan.layout, form),
                Func("y"), plan.y_inner};
  p.m_granule = tokens;

  ColumnsPlace at;
  for (size_t d = 0; d < plan.y_inner.size(); ++d) at.rows.emplace_back(Join("r", d));
  Var e("e"), i("i"), j("j"), q("q"), part("part"), t("t");
  Var lo("lo"), hi("hi"), mv("mv"), mi("mi");
  const auto& [rows, g, kb, mb, m] = at;

  // word: the indices of a row in a step.
  Func word("word");
  Expr packed = 0;
  if (plan.word) {
    packed = plan.word(p.buffers, at, q);
  } else {
    packed = cast<uint32_t>(0);
    for (int b = 0; b < std::min(plan.lookups, kLookupsOfAWord); ++b) {
      const auto [low_part, high_part] = plan.index(p.buffers, at, kLookupsOfAWord * j + b, q);
      packed = packed | cast<uint32_t>(low_part + plan.low * high_part) << (8 * b);
    }
  }
  word(Vars({}, rows, {j, g, q, kb})) = packed;

  // An entry of lookup i of step q, for the steps summed in int16 and for the last one.
  const auto x = [&](int c) {
    return cast<int16_t>(p.buffers.act(m, plan.column(i, q, c), kb, mb));
  };
  struct Tables {
    Func low, high, table;
  };
  const auto make_tables = [&](const std::string& name) {
    Tables f{Func(name + "_low"), Func(name + "_high"), Func(name)};
    f.low(m, lo, i, q, kb, mb) = plan.low_half(lo, x);
    f.high(m, hi, i, q, kb, mb) = plan.high_half(hi, x);
    f.table(m, e, i, q, kb, mb) =
        f.low(m, e % plan.low, i, q, kb, mb) + f.high(m, e / plan.low, i, q, kb, mb);
    return f;
  };
  Tables some = make_tables("table"), last = make_tables("last");
  const auto lookups = [&](const Func& table, const Expr& step, const Expr& block) {
    Expr sum;
    for (int l = 0; l < plan.lookups; ++l) {
      const Expr index = word(Args({}, rows, {Expr(l / kLookupsOfAWord), g, step, block})) >>
                         (8 * (l % kLookupsOfAWord));
      // Packers make no other entries; unclamped, tables would hold every value of a byte.
      const Expr entry =
          Halide::unsafe_promise_clamped(cast<int>(cast<uint8_t>(index)), 0, entries - 1);
      const Expr value = table(m, entry, l, step, block, mb);
      sum = sum.defined() ? sum + value : value;
    }
    return sum;
  };
  Func acc("acc"), wide("wide");
  const int summed = part_steps - 1;
  RDom k(0, std::max(summed, 1), "k");
  acc(Vars({m}, rows, {g, mb, kb, part})) = cast<int16_t>(0);
  acc(Vars({m}, rows, {g, mb, kb, part})) += lookups(some.table, k + part_steps * part, kb);
  RDom blocks(0, parts, 0, p.buffers.WBlocks(), "blocks");
  wide(Vars({m}, rows, {g, mb})) = 0;
  {
    const Expr sums = acc(Args({m}, rows, {g, mb, Expr(blocks.y), Expr(blocks.x)}));
    const Expr step = lookups(last.table, part_steps - 1 + part_steps * blocks.x, blocks.y);
    Expr all = cast<int>(step);
    if (summed) {
      const bool fits = part_steps * columns < kColumnsOfASum;
      all = fits ? cast<int>(sums + step) : cast<int>(sums) + cast<int>(step);
    }
    wide(Vars({m}, rows, {g, mb})) += all;
  }
  p.y(Vars({}, rows, {g, t, mb})) = wide(Args({t}, rows, {g, mb}));

  int granule = 1;
  for (size_t d = 0; d < rows.size(); ++d) {
    p.y.bound(rows[d], 0, plan.y_inner[d].extent);
    granule *= plan.y_inner[d].extent;
  }
  p.y.bound(t, 0, tokens);
  p.n_block = plan.cache;
  const auto over = [&](std::vector<Halide::VarOrRVar> first,
                        const std::vector<Halide::VarOrRVar>& more) {
    for (const Var& r : rows) first.emplace_back(r);
    first.insert(first.end(), more.begin(), more.end());
    return first;
  };
  p.y.reorder(over({}, {t, g, mb}));
  wide.compute_at(p.y, mb).store_in(MemoryType::Heap).bound(m, 0, tokens).vectorize(m, lanes);
  wide.update().reorder(over({m}, {g, blocks.x, blocks.y})).vectorize(m, lanes).unroll(m);
  if (summed) {
    acc.compute_at(wide, blocks.x).store_in(MemoryType::Heap).bound(m, 0, tokens);
    acc.vectorize(m, lanes);
    acc.update().reorder(over({m}, {g, k})).vectorize(m, lanes).unroll(m);
  }
  word.compute_at(wide, blocks.x).store_in(MemoryType::Heap).bound(j, 0, words);
  for (size_t d = 0; d < rows.size(); ++d) word.bound(rows[d], 0, plan.y_inner[d].extent);
  word.vectorize(rows[0], std::min(plan.y_inner[0].extent, target.vector_bytes / 4));
  for (Tables* f : {&some, &last}) {
    if (f == &some && !summed) continue;
    if (f == &some) {
      f->table.compute_at(acc, k);
    } else {
      f->table.compute_at(wide, blocks.x);
    }
    f->table.store_in(MemoryType::Heap).bound(m, 0, tokens).bound(e, 0, entries);
    f->table.bound(i, 0, plan.lookups).split(e, hi, lo, plan.low).split(m, mv, mi, lanes);
    f->table.reorder(mi, lo, hi, mv, i).vectorize(mi);
    for (Func* half : {&f->low, &f->high}) {
      half->compute_at(f->table, mv).store_in(MemoryType::Stack).vectorize(m, lanes);
    }
    f->low.bound(lo, 0, plan.low).unroll(lo);
    f->high.bound(hi, 0, plan.high).unroll(hi);
  }

  p.scratch_bytes = granule * plan.cache * (6 * tokens + 4 * words * part_steps) +
                    2 * 2 * tokens * entries * plan.lookups + 8 * 256;
  p.wanted = {"paddw|add"};
  return p;
}

}  // namespace trit
