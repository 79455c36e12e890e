// mad5: five trits in a byte, unpacked by arithmetic, then a byte dot product as in mad2.
//
// A digit is the part of 3 * byte above bit 8, the next byte the part below. Both fit byte lanes:
// the digit is (byte >= 86) + (byte >= 171), the next byte 3 * byte modulo 256. It costs about six
// operations a digit where mad2 has two, for 0.8 of the bytes; with many tokens unpack=tile pays
// that once.
#include <numeric>

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

constexpr int kMaxK = 32000;  // bounds the scratch of unpack=tile

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

// bodies/scalable.c: vectors whose length is known only when the code runs.
constexpr const char* kScalable = "mad5_scalable";

bool Supports(const Target& target) {
  if (HasBody(target, kScalable)) return true;
  return target.vector_bytes > 0 && (HasQuad(target) || HasPair(target));
}

Space MakeSpace(const Target& target) {
  if (HasBody(target, kScalable)) {
    Space space("mad5", target.key);
    space.Ints("rows", {16, 32, 64, 128}, "rows of a granule")
        .Ints("k", {80, 160, 240}, "columns of a K block")
        .Ints("m_tile", {1, 2, 3, 4}, "tokens in registers")
        .Ints("vectors", {1, 2, 4}, "most vectors of rows in registers");
    return space;
  }
  const int lanes = Lanes(target);
  Space space("mad5", target.key);
  space.Names("dot", {"quad", "pair"}, "products summed by one instruction")
      .Names("unpack", {"reg", "tile"}, "where digits are unpacked to")
      .Ints("rows", {16, 32, 64}, "rows of a granule")
      .Ints("k", {80, 160, 240}, "columns of a K block")
      .Ints("m_tile", {1, 2, 3, 4, 6, 8}, "tokens in registers")
      .Rule("the target has the instruction",
            [&target](const Candidate& c) {
              return c.Name("dot") == "quad" ? HasQuad(target) : HasPair(target);
            })
      .Rule("a granule is a whole number of vectors",
            [lanes](const Candidate& c) { return c.Int("rows") % lanes == 0; })
      .Rule("accumulators fit the registers",
            [&target, lanes](const Candidate& c) {
              const int registers = VectorRegisters(target) == 32 ? 28 : 14;
              return c.Int("rows") / lanes * c.Int("m_tile") <= registers;
            })
      .Rule("digits unpacked to a tile are for several tokens",
            [](const Candidate& c) { return c.Name("unpack") == "reg" || c.Int("m_tile") > 1; });
  return space;
}

LayoutSpec Layout(int rows, int k) {
  LayoutSpec layout;
  layout.id = Join("mad5-r", rows, "-k", k, ".v1");
  layout.code = "mad5";
  layout.type = Halide::UInt(8);
  layout.inner = {4, rows, k / 20};
  layout.granule = rows;
  layout.k_step = k;
  return layout;
}

ActFormSpec FifthsForm(int tokens, int k) {
  ActFormSpec form;
  form.id = Join("fifths-m", tokens, "-k", k, ".v1");
  form.code = "fifths";
  form.type = Halide::Int(8);
  form.inner = {4, 5, k / 20, tokens};
  form.granule = tokens;
  form.k_step = k;
  form.align = std::gcd(64, tokens * k);
  form.fixed_type = Halide::Int(32);
  form.fixed_count = tokens;
  return form;
}

// Digit j of a byte: 3^j * byte modulo 256, then how many thirds of 256 it holds: compared, or,
// where halves of byte sums are one instruction, (left / 2 + left) / 2 / 64, which rounds down as 3
// * left / 256 does.
Expr DigitOf(const Expr& byte, int j, bool halves) {
  static const int kPower[5] = {1, 3, 9, 27, 81};
  const Expr left = byte * cast<uint8_t>(kPower[j]);
  if (halves)
    return Halide::Internal::halving_add(left >> cast<uint8_t>(1), left) >> cast<uint8_t>(6);
  return select(left >= cast<uint8_t>(171), cast<uint8_t>(2),
                select(left >= cast<uint8_t>(86), cast<uint8_t>(1), cast<uint8_t>(0)));
}

KernelParts BuildScalable(const Candidate& candidate) {
  const int tokens = candidate.Int("m_tile");
  const LayoutSpec layout = Layout(candidate.Int("rows"), candidate.Int("k"));
  const ActFormSpec form = FifthsForm(tokens, candidate.Int("k"));
  KernelParts p{layout, form, MatmulBuffers(layout, form), Func("y"), {{layout.granule, 1}}};
  p.m_granule = tokens;
  p.body = kScalable;
  p.body_option = {tokens, candidate.Int("vectors")};
  p.wanted = {"umulh", "sdot|usdot"};
  return p;
}

KernelParts Build(const Candidate& candidate, const Target& target) {
  if (HasBody(target, kScalable)) return BuildScalable(candidate);
  const int rows = candidate.Int("rows"), k_step = candidate.Int("k"), lanes = Lanes(target);
  const int tokens = candidate.Int("m_tile"), steps = k_step / 20;
  const bool quad = candidate.Name("dot") == "quad", tile = candidate.Name("unpack") == "tile";
  const LayoutSpec layout = Layout(rows, k_step);
  const ActFormSpec form = FifthsForm(tokens, k_step);
  KernelParts p{layout, form, MatmulBuffers(layout, form), Func("y"), {{rows, 1}}};
  p.m_granule = tokens;

  Var r("r"), g("g"), t("t"), mb("mb"), kb("kb"), i("i"), j("j"), q("q"), u("u");
  Var ro("ro"), ri("ri");
  Func digit("digit"), acc("acc"), wide("wide");
  const bool halves = std::string_view(target.arch) == "aarch64";  // uhadd
  Expr value = DigitOf(p.buffers.w(i, r, q, kb, g), 4, halves);
  for (int d = 3; d >= 0; --d)
    value = select(j == d, DigitOf(p.buffers.w(i, r, q, kb, g), d, halves), value);
  digit(i, r, j, q, kb, g) = value;
  const auto product = [&](Expr column, Expr plane, Expr q20, Expr block) {
    return cast<int16_t>(digit(column, r, plane, q20, block, g)) *
           cast<int16_t>(p.buffers.act(column, plane, q20, t, block, mb));
  };
  const auto over_rows = [&](Halide::Stage stage) {
    stage.split(r, ro, ri, lanes).unroll(ro).unroll(t);
  };
  wide(r, t, g, mb) = 0;
  if (quad) {
    RDom k(0, 4, 0, 5, 0, steps, 0, p.buffers.WBlocks(), "k");
    wide(r, t, g, mb) += cast<int>(product(k.x, k.y, k.z, k.w));
    over_rows(wide.update());
    wide.update().reorder(k.x, ri, ro, t, k.y, k.z, k.w).atomic();
    wide.update().vectorize(k.x).vectorize(ri).unroll(k.y);
  } else {
    RDom k(0, 2, 0, 5, 0, steps, "k");
    acc(u, r, t, kb, g, mb) = cast<int16_t>(0);
    acc(u, r, t, kb, g, mb) += product(k.x + 2 * u, k.y, k.z, kb);
    RDom b(0, 2, 0, p.buffers.WBlocks(), "b");
    wide(r, t, g, mb) += cast<int>(acc(b.x, r, t, b.y, g, mb));
    over_rows(wide.update());
    wide.update().reorder(b.x, ri, ro, t, b.y).atomic().vectorize(b.x).vectorize(ri);
    acc.compute_at(wide, b.y).store_in(MemoryType::Register);
    acc.bound(u, 0, 2).bound_extent(r, rows).bound_extent(t, tokens);
    acc.split(r, ro, ri, lanes).reorder(u, ri, ro, t).vectorize(u).vectorize(ri);
    acc.unroll(ro).unroll(t);
    over_rows(acc.update());
    acc.update().reorder(k.x, u, ri, ro, t, k.y, k.z).atomic();
    acc.update().vectorize(k.x).vectorize(u).vectorize(ri).unroll(k.y);
  }
  p.y(r, g, t, mb) = wide(r, t, g, mb) - p.buffers.act_fixed(t, mb);
  p.y.bound(r, 0, rows).bound(t, 0, tokens).vectorize(r, lanes).unroll(r).unroll(t);
  p.y.reorder(r, t, mb, g);
  wide.compute_at(p.y, mb).store_in(MemoryType::Register);
  wide.bound_extent(r, rows).bound_extent(t, tokens);
  wide.split(r, ro, ri, lanes).reorder(ri, ro, t).vectorize(ri).unroll(ro).unroll(t);
  if (tile) {
    p.k_max = kMaxK / k_step * k_step;
    p.scratch_bytes = rows * kMaxK + 256;
    digit.compute_at(p.y, g).store_in(MemoryType::Heap).bound(i, 0, 4).bound_extent(r, rows);
    digit.bound(j, 0, 5).bound(q, 0, steps).split(r, ro, ri, lanes).reorder(i, ri, ro, j, q, kb);
    digit.vectorize(i).vectorize(ri).unroll(ro).unroll(j);
  }
  p.wanted = {quad ? "vpdpbusd|pmaddubsw|pmaddwd|sdot|usdot|smull" : "pmaddubsw"};
  return p;
}

}  // namespace

extern const Family kMad5Family;
const Family kMad5Family = {
    .name = "mad5",
    .idea = "five trits a byte unpacked by arithmetic, then the dot product",
    .supports = Supports,
    .space = MakeSpace,
    .build = Build,
};

}  // namespace trit
