#include "generator/families/common/planes.h"

#include "targets/base/error.h"

namespace trit {

using Halide::cast;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Internal::Call;

ActFormSpec PlanesForm(int group, int entries, PlaneDigits digits, int groups, bool sums,
                       int low_bits) {
  static const char* const kNames[] = {"base3", "balanced", "bits"};
  ActFormSpec form;
  form.id = Join("planes-", kNames[static_cast<int>(digits)], "-g", group, "-e", entries, "-k",
                 group * groups, low_bits == 7 ? "-h7" : "", sums ? "-sums" : "", ".v1");
  form.code = "planes";
  form.type = Halide::UInt(8);
  form.inner = {entries, 2, groups};
  form.granule = 1;
  form.k_step = group * groups;
  form.align = entries == 16 ? 32 : 64;
  form.fixed_type = Halide::Int(32);
  form.fixed_count = sums ? 1 : 0;
  form.option = {group, entries, static_cast<int>(digits), low_bits};
  return form;
}

LayoutSpec PlanesLayout(const std::string& code, int rows, int unit, int k_step) {
  LayoutSpec layout;
  layout.id = Join(code, "-r", rows, "-v", unit, "-k", k_step, ".v1");
  layout.code = code;
  layout.type = Halide::UInt(8);
  layout.inner = {8, 2, unit / 16, rows / unit};
  layout.granule = rows;
  layout.k_step = k_step;
  layout.k_outer = true;
  layout.align = std::min(unit, 64);
  layout.option = {unit};
  return layout;
}

namespace {

Expr Plane(const MatmulBuffers& buffers, const PlanePlace& at, const Expr& index, int plane,
           const Expr& group) {
  return buffers.act(cast<int>(index), plane, group, at.kb, at.mb);
}

}  // namespace

Expr JoinEntry(const MatmulBuffers& buffers, const PlanePlace& at, Expr index, Expr group) {
  return Call::make(Halide::Int(16), "trit_join",
                    {Plane(buffers, at, index, 0, group), Plane(buffers, at, index, 1, group)},
                    Call::PureExtern);
}

Expr JoinSigned(const MatmulBuffers& buffers, const PlanePlace& at, Expr index, Expr group,
                Expr sign) {
  return Call::make(
      Halide::Int(16), "trit_join_signed",
      {Plane(buffers, at, index, 0, group), Plane(buffers, at, index, 1, group), sign},
      Call::PureExtern);
}

int PlaneUnit(const Target& target) {
  return target.vector_bytes > 0 ? target.vector_bytes : 16;
}

KernelParts BuildPlanes(const PlanesPlan& plan, const Target& target) {
  if (!plan.body.empty()) {
    KernelParts parts{
        plan.layout, plan.form, MatmulBuffers(plan.layout, plan.form), Func("y"), {{plan.rows, 1}}};
    parts.body = plan.body;
    return parts;
  }
  const int unit = target.vector_bytes, vecs = plan.rows / unit;
  KernelParts p{plan.layout,
                plan.form,
                MatmulBuffers(plan.layout, plan.form),
                Func("y"),
                {{8, 1}, {unit / 16, 8}, {2, unit / 2}, {vecs, unit}}};
  PlanePlace at;
  at.k = RDom(0, plan.lookups, 0, plan.steps, "k");
  const auto& [b, l, h, v, g, t, mb, kb, plane, k] = at;

  Func acc("acc");
  acc(b, l, h, v, g, t, mb, kb, plane) = cast<int16_t>(0);
  acc(b, l, h, v, g, t, mb, kb, plane) += plan.value(p.buffers, at);
  RDom blocks(0, p.buffers.WBlocks(), "blocks");
  Expr sum = cast<int>(acc(b, l, h, v, g, t, mb, blocks, 0));
  for (int i = 1; i < plan.planes; ++i) {
    sum += cast<int>(acc(b, l, h, v, g, t, mb, blocks, i)) * (1 << i);
  }
  p.y(b, l, h, v, g, t, mb) = plan.start(p.buffers, at);
  p.y(b, l, h, v, g, t, mb) += sum;

  // A vector of bytes; its joined entries are two vectors of int16.
  const auto vectorise = [&](Halide::Stage stage) {
    stage.vectorize(b).vectorize(l).vectorize(h).unroll(v);
  };
  p.y.bound(b, 0, 8).bound(l, 0, unit / 16).bound(h, 0, 2).bound(v, 0, vecs).bound(t, 0, 1);
  p.y.reorder(b, l, h, v).vectorize(b).vectorize(l).vectorize(h).unroll(v);
  vectorise(p.y.update().reorder(b, l, h, v, t, mb, g, blocks));
  acc.compute_at(p.y, mb).store_in(Halide::MemoryType::Register);
  acc.bound_extent(v, vecs).bound(plane, 0, plan.planes).reorder(b, l, h, v, plane);
  acc.vectorize(b).vectorize(l).vectorize(h).unroll(v).unroll(plane);
  vectorise(acc.update().reorder(b, l, h, v, plane, k.x, k.y).unroll(plane).unroll(k.x));
  if (plan.unroll > 1) acc.update().unroll(k.y, plan.unroll);
  if (plan.prefetch > 0) {
    acc.update().prefetch(p.buffers.w, k.y, k.y, plan.prefetch,
                          Halide::PrefetchBoundStrategy::NonFaulting);
  }
  return p;
}

Space PlanesSpace(const char* family, const std::vector<int>& steps, const char* about,
                  const Target& target) {
  const int unit = PlaneUnit(target);
  const bool fixed_width = target.vector_bytes > 0;
  Space space(family, target.key);
  space.Ints("rows", {16, 32, 64, 128, 256}, "rows of a granule")
      .Ints("steps", steps, about)
      .Ints("unroll", {1, 2, 4}, "steps per loop iteration")
      .Ints("prefetch", {0, 8, 16, 24, 32}, "steps the weights are fetched ahead")
      .Rule("a granule is a whole number of vectors",
            [unit](const Candidate& c) { return c.Int("rows") % unit == 0; })
      .Rule("the loop divides a K block",
            [](const Candidate& c) { return c.Int("steps") % c.Int("unroll") == 0; })
      .Names("form", {"tables", "columns"}, "lookups of one token, or of many side by side")
      .Ints("m_tile", {1, 16, 32, 64}, "tokens side by side")
      .Ints("cache", {1, 4, 8, 16, 32}, "granules whose sums stay in cache")
      .Rule(
          "one token is looked up by tables, many by columns",
          [](const Candidate& c) { return (c.Name("form") == "tables") == (c.Int("m_tile") == 1); })
      .Rule("unroll and prefetch are for tables, cache for columns",
            [](const Candidate& c) {
              return c.Name("form") == "tables" ? c.Int("cache") == 1
                                                : c.Int("unroll") == 1 && c.Int("prefetch") == 0;
            })
      .Rule("a stage in C is for tables, and neither unrolls nor fetches ahead",
            [fixed_width](const Candidate& c) {
              return fixed_width ||
                     (c.Name("form") == "tables" && c.Int("unroll") == 1 && c.Int("prefetch") == 0);
            });
  return space;
}

ColumnsPlan PlaneColumns(const LayoutSpec& layout, const Candidate& candidate,
                         const Target& target) {
  const int unit = target.vector_bytes;
  ColumnsPlan plan;
  plan.layout = layout;
  plan.y_inner = {{8, 1}, {unit / 16, 8}, {2, unit / 2}, {candidate.Int("rows") / unit, unit}};
  plan.tokens = candidate.Int("m_tile");
  plan.cache = candidate.Int("cache");
  return plan;
}

Expr ColumnByte(const MatmulBuffers& buffers, const ColumnsPlace& at, Expr step) {
  return cast<int>(buffers.w(at.rows[0], at.rows[2], at.rows[1], at.rows[3], step, at.kb, at.g));
}

LayoutSpec QuadLayout(const char* family, const Candidate& candidate, const Target& target) {
  const int rows = candidate.Int("rows"), steps = candidate.Int("steps");
  LayoutSpec layout = PlanesLayout(family, rows, PlaneUnit(target), 4 * steps);
  layout.inner.push_back(steps);
  return layout;
}

ColumnsPlan QuadColumns(const LayoutSpec& layout, const Candidate& candidate, const Target& target,
                        int values, int place) {
  ColumnsPlan plan = PlaneColumns(layout, candidate, target);
  // Four bytes a step, so that the tables of sixteen columns are made at once.
  plan.lookups = 4;
  plan.steps = candidate.Int("steps") / 4;
  plan.column = [](Expr i, Expr q, int j) { return 4 * i + 16 * q + j; };
  plan.low = plan.high = values;
  plan.index = [place](const MatmulBuffers& buffers, const ColumnsPlace& at, Expr i, Expr q) {
    const Expr byte = ColumnByte(buffers, at, i + 4 * q);
    return std::pair{byte % place, byte / place};
  };
  return plan;
}

Expr TritPair(const Expr& number, const Expr& x, const Expr& z) {
  return cast<int16_t>(number / 3 - 1) * x + cast<int16_t>(number % 3 - 1) * z;
}

}  // namespace trit
