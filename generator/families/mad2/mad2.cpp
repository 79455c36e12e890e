// mad2: 2-bit codes and a dot product. y = sum (w + 1) x - sum x.
#include "generator/family.h"
#include "generator/forms/rows.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Halide::cast;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Var;

constexpr int kStep = 64;  // k of a block

bool Supports(const Target& target) {
  return std::string_view(target.halide_features).find("sapphirerapids") != std::string_view::npos;
}

Space MakeSpace(const Target& target) {
  Space space("mad2", target.key);
  space.Ints("n_vecs", {1, 2, 4}, "vectors of rows in a granule")
      .Ints("m_tile", {1, 2, 4, 8}, "tokens in registers")
      .Rule("accumulators fit the registers",
            [](const Candidate& c) { return c.Int("n_vecs") * c.Int("m_tile") <= 24; });
  return space;
}

LayoutSpec Layout(int rows) {
  LayoutSpec layout;
  layout.id = Join("mad2-r", rows, "-k", kStep, ".v1");
  layout.code = "mad2";
  layout.type = Halide::UInt(8);
  layout.inner = {4, rows, kStep / 16};
  layout.granule = rows;
  layout.k_step = kStep;
  return layout;
}

KernelParts Build(const Candidate& candidate, const Target& target) {
  const int lanes = target.vector_bytes / 4;
  const int rows = lanes * candidate.Int("n_vecs"), tokens = candidate.Int("m_tile");
  const LayoutSpec layout = Layout(rows);
  const ActFormSpec form = RowsForm(tokens, kStep);
  KernelParts p{layout, form, MatmulBuffers(layout, form), Func("y"), {{rows, 1}}};
  p.m_granule = tokens;
  p.m_min = tokens;

  Var r("r"), g("g"), t("t"), mb("mb"), ro("ro"), ri("ri");
  // k4, j, kq, k block
  RDom k(0, 4, 0, 4, 0, kStep / 16, 0, p.buffers.WBlocks(), "k");
  Func acc("acc");
  const Expr code = (p.buffers.w(k.x, r, k.z, k.w, g) >> cast<uint8_t>(2 * k.y)) & cast<uint8_t>(3);
  const Expr x = p.buffers.act(k.x + 4 * k.y + 16 * k.z, t, k.w, mb);
  acc(r, g, t, mb) += cast<int>(cast<int16_t>(code) * cast<int16_t>(x));
  p.y(r, g, t, mb) = acc(r, g, t, mb) - p.buffers.act_fixed(t, mb);

  p.y.bound(r, 0, rows).bound(t, 0, tokens).reorder(r, t, g, mb).vectorize(r).unroll(t);
  acc.compute_at(p.y, g).store_in(Halide::MemoryType::Register);
  acc.bound_extent(r, rows).bound_extent(t, tokens).split(r, ro, ri, lanes);
  acc.reorder(ri, ro, t).vectorize(ri).unroll(ro).unroll(t);
  acc.update().split(r, ro, ri, lanes).reorder(k.x, ri, ro, t, k.y, k.z, k.w);
  acc.update().atomic().vectorize(k.x).vectorize(ri).unroll(ro).unroll(t).unroll(k.y).unroll(k.z);
  p.wanted = {"vpdpbusd"};
  return p;
}

}  // namespace

extern const Family kMad2Family;
const Family kMad2Family = {
    .name = "mad2",
    .idea = "2-bit codes 0..2, dot product, minus the row sum",
    .supports = Supports,
    .space = MakeSpace,
    .build = Build,
};

}  // namespace trit
