// mad2: 2-bit codes and a byte dot product. y = sum (w + 1) x - sum x.
//
//   dot=quad  four products a lane straight into int32 (vpdpbusd, or its emulation)
//   dot=pair  two products an int16 lane (vpmaddubsw), summed in int16 for a K block of at most 64
//             pairs (64 * 2 * 2 * 127 = 32512, and -32768 for activations of -128), then widened
//   dot=lane  one product an int16 lane (smlal), four lanes a row; 128 of them fit (128 * 2 * 127),
//             a K block of at most 512
//
// Decode reads every code once: they are shifted and masked out of the registers the weights were
// loaded to. With many tokens and a weak multiplier unpack=tile writes the codes of a granule to
// scratch once and all tokens read them from there.
#include "generator/families/mad2/mad2.h"

#include "generator/family.h"
#include "generator/forms/rows.h"
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

constexpr int kMaxK = 32768;  // bounds the scratch of unpack=tile

int Lanes(const Target& target) {
  return target.vector_bytes / 4;
}

bool HasQuad(const Target& target) {
  return HasMicroOp(target, "trit_dot4", Lanes(target));
}
bool HasPair(const Target& target) {
  return HasMicroOp(target, "trit_dot2", 2 * Lanes(target)) &&
         HasMicroOp(target, "trit_pairs", Lanes(target));
}

bool HasLane(const Target& target) {
  return HasMicroOp(target, "trit_dot1", 4 * Lanes(target)) &&
         HasMicroOp(target, "trit_quads", Lanes(target));
}

bool Supports(const Target& target) {
  if (HasBody(target, kMad2Scalable)) return true;
  return target.vector_bytes > 0 && (HasQuad(target) || HasPair(target) || HasLane(target));
}

Space MakeSpace(const Target& target) {
  if (HasBody(target, kMad2Scalable)) return ScalableMad2Space(target);
  const int lanes = Lanes(target);
  Space space("mad2", target.key);
  space.Names("dot", {"quad", "pair", "lane", "matrix"}, "products summed by one instruction")
      .Names("unpack", {"reg", "tile"}, "where codes are unpacked to")
      .Ints("rows", {8, 16, 32, 64, 128}, "rows of a granule")
      .Ints("k", {64, 128, 256}, "columns of a K block")
      .Ints("m_tile", {1, 2, 3, 4, 6, 8, 10, 12}, "tokens in registers")
      .Ints("split", {1, 2, 4}, "accumulators a row has")
      .Ints("cache", {1, 2, 4, 8, 16, 32}, "granules that stay in cache while tokens pass")
      .Rule("the target has the instruction",
            [&target](const Candidate& c) {
              return c.Name("dot") == "quad"   ? HasQuad(target)
                     : c.Name("dot") == "pair" ? HasPair(target)
                     : c.Name("dot") == "lane" ? HasLane(target)
                                               : HasBody(target, kMad2Tile);
            })
      .Rule("a granule is a whole number of vectors",
            [lanes](const Candidate& c) { return c.Int("rows") % lanes == 0; })
      .Rule("accumulators fit the registers",
            [&target, lanes](const Candidate& c) {
              const int registers = VectorRegisters(target) == 32 ? 28 : 14;
              const int wide = c.Name("dot") == "lane" ? 2 : 1;  // registers of an accumulator
              return wide * c.Int("rows") / lanes * c.Int("m_tile") * c.Int("split") <= registers;
            })
      .Rule("matrix instructions take pairs of rows and tokens, and know no splits",
            [](const Candidate& c) {
              return c.Name("dot") != "matrix" ||
                     (c.Int("rows") <= 16 && c.Int("m_tile") % 2 == 0 && c.Int("split") == 1 &&
                      c.Int("cache") == 1 && c.Name("unpack") == "reg" &&
                      c.Int("rows") / 2 * c.Int("m_tile") / 2 <= 16);
            })
      .Rule("codes unpacked to a tile are for several tokens",
            [](const Candidate& c) { return c.Name("unpack") == "reg" || c.Int("m_tile") > 1; })
      .Rule("a tile is one granule's",
            [](const Candidate& c) { return c.Name("unpack") == "reg" || c.Int("cache") == 1; });
  return space;
}

}  // namespace

LayoutSpec Mad2Layout(int rows, int k, int width) {
  LayoutSpec layout;
  layout.id = Join("mad2-r", rows, "-k", k, width == 4 ? "" : Join("-w", width), ".v1");
  layout.code = "mad2";
  layout.type = Halide::UInt(8);
  layout.inner = {width, rows, k / (4 * width)};
  layout.option = {width};
  layout.granule = rows;
  layout.k_step = k;
  return layout;
}

namespace {

KernelParts Build(const Candidate& candidate, const Target& target) {
  if (HasBody(target, kMad2Scalable)) return BuildScalableMad2(candidate);
  if (candidate.Name("dot") == "matrix") return BuildTileMad2(candidate);
  const int rows = candidate.Int("rows"), k_step = candidate.Int("k"), lanes = Lanes(target);
  const int tokens = candidate.Int("m_tile"), split = candidate.Int("split");
  const int cache = candidate.Int("cache");
  const bool quad = candidate.Name("dot") == "quad", tile = candidate.Name("unpack") == "tile";
  const LayoutSpec layout = Mad2Layout(rows, k_step);
  const ActFormSpec form = RowsForm(tokens, k_step);
  KernelParts p{layout, form, MatmulBuffers(layout, form), Func("y"), {{rows, 1}}};
  p.m_granule = tokens;

  Var r("r"), g("g"), t("t"), mb("mb"), s("s"), kb("kb"), i("i"), j("j"), q("q"), u("u");
  Var ro("ro"), ri("ri");
  Func code("code"), acc("acc"), wide("wide");
  code(i, r, j, q, kb, g) =
      (p.buffers.w(i, r, q, kb, g) >> cast<uint8_t>(2 * j)) & cast<uint8_t>(3);
  const auto product = [&](Expr column, Expr plane, Expr q16, Expr block) {
    return cast<int16_t>(code(column, r, plane, q16, block, g)) *
           cast<int16_t>(p.buffers.act(column + 4 * plane + 16 * q16, t, block, mb));
  };

  // Sums of a granule times m_tile tokens over all of K, in `split` parts.
  const int planes = 4 / split, steps = k_step / 16;
  const auto over_rows = [&](Halide::Stage stage) {
    stage.split(r, ro, ri, lanes).unroll(ro).unroll(t).unroll(s);
  };
  // Two planes of unpacked codes: with four in sight LLVM loads them ahead of sixteen registers.
  const auto over_planes = [&](Halide::Stage stage, const Halide::RVar& plane) {
    tile&& planes > 2 ? stage.unroll(plane, 2) : stage.unroll(plane);
  };
  if (quad) {
    RDom k(0, 4, 0, planes, 0, steps, 0, p.buffers.WBlocks(), "k");
    wide(r, t, s, g, mb) = 0;
    wide(r, t, s, g, mb) += cast<int>(product(k.x, s + split * k.y, k.z, k.w));
    over_rows(wide.update());
    wide.update().reorder(k.x, ri, ro, t, s, k.y, k.z, k.w).atomic();
    wide.update().vectorize(k.x).vectorize(ri);
    over_planes(wide.update(), k.y);
  } else if (candidate.Name("dot") == "lane") {
    RDom k(0, planes, 0, steps, "k");
    acc(u, r, t, s, kb, g, mb) = cast<int16_t>(0);
    acc(u, r, t, s, kb, g, mb) += product(u, s + split * k.x, k.y, kb);
    RDom b(0, 4, 0, p.buffers.WBlocks(), "b");
    wide(r, t, s, g, mb) = 0;
    wide(r, t, s, g, mb) += cast<int>(acc(b.x, r, t, s, b.y, g, mb));
    over_rows(wide.update());
    wide.update().reorder(b.x, ri, ro, t, s, b.y).atomic().vectorize(b.x).vectorize(ri);
    acc.compute_at(wide, b.y).store_in(MemoryType::Register);
    acc.bound(u, 0, 4).bound_extent(r, rows).bound_extent(t, tokens).bound(s, 0, split);
    acc.split(r, ro, ri, lanes).reorder(u, ri, ro, t, s).vectorize(u).vectorize(ri);
    acc.unroll(ro).unroll(t).unroll(s);
    over_rows(acc.update());
    acc.update().reorder(u, ri, ro, t, s, k.x, k.y).vectorize(u).vectorize(ri).unroll(k.x);
  } else {
    RDom k(0, 2, 0, planes, 0, steps, "k");
    acc(u, r, t, s, kb, g, mb) = cast<int16_t>(0);
    acc(u, r, t, s, kb, g, mb) += product(k.x + 2 * u, s + split * k.y, k.z, kb);
    RDom b(0, 2, 0, p.buffers.WBlocks(), "b");
    wide(r, t, s, g, mb) = 0;
    wide(r, t, s, g, mb) += cast<int>(acc(b.x, r, t, s, b.y, g, mb));
    over_rows(wide.update());
    wide.update().reorder(b.x, ri, ro, t, s, b.y).atomic().vectorize(b.x).vectorize(ri);
    acc.compute_at(wide, b.y).store_in(MemoryType::Register);
    acc.bound(u, 0, 2).bound_extent(r, rows).bound_extent(t, tokens).bound(s, 0, split);
    acc.split(r, ro, ri, lanes).reorder(u, ri, ro, t, s).vectorize(u).vectorize(ri);
    acc.unroll(ro).unroll(t).unroll(s);
    over_rows(acc.update());
    acc.update().reorder(k.x, u, ri, ro, t, s, k.y, k.z).atomic();
    acc.update().vectorize(k.x).vectorize(u).vectorize(ri);
    over_planes(acc.update(), k.y);
  }
  Expr sum = wide(r, t, 0, g, mb);
  for (int part = 1; part < split; ++part) sum += wide(r, t, part, g, mb);
  p.y(r, g, t, mb) = sum - p.buffers.act_fixed(t, mb);

  p.y.bound(r, 0, rows).bound(t, 0, tokens).vectorize(r, lanes).unroll(r).unroll(t);
  if (cache > 1) {
    p.n_block = cache;
    p.y.reorder(r, t, g, mb);
    wide.compute_at(p.y, g);
  } else {
    p.y.reorder(r, t, mb, g);
    wide.compute_at(p.y, mb);
  }
  wide.store_in(MemoryType::Register);
  wide.bound_extent(r, rows).bound_extent(t, tokens).bound(s, 0, split);
  wide.split(r, ro, ri, lanes).reorder(ri, ro, t, s).vectorize(ri).unroll(ro).unroll(t).unroll(s);
  if (tile) {
    p.k_max = kMaxK;
    p.scratch_bytes = rows * kMaxK + 256;
    code.compute_at(p.y, g).store_in(MemoryType::Heap).bound(i, 0, 4).bound_extent(r, rows);
    code.bound(j, 0, 4).bound(q, 0, steps).split(r, ro, ri, lanes).reorder(i, ri, ro, j, q, kb);
    code.vectorize(i).vectorize(ri).unroll(ro).unroll(j);
  }
  p.wanted = {quad ? "vpdpbusd|pmaddubsw|pmaddwd|sdot|usdot|smull" : "pmaddubsw|smlal"};
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
