// veclut: mad2's bytes as indices of four columns, the entries of many tokens side by side. Decode
// reads the same bytes with mad2.
#include "generator/families/common/columns.h"
#include "generator/families/mad2/mad2.h"

namespace trit {
namespace {

using Halide::cast;
using Halide::Expr;

bool Supports(const Target& target) {
  return target.vector_bytes >= 16;
}

Space MakeSpace(const Target& target) {
  Space space("veclut", target.key);
  space.Ints("rows", {8, 16, 32, 64, 128}, "rows of a granule")
      .Ints("k", {64, 128, 256}, "columns of a K block")
      .Ints("m_tile", {16, 32, 64}, "tokens side by side")
      .Ints("cache", {4, 16, 32, 64, 128, 192, 256}, "granules whose sums stay in cache")
      .Rule("sums of a tile fit 4 MB", [](const Candidate& c) {
        return c.Int("rows") * c.Int("cache") * c.Int("m_tile") <= 600000;
      });
  return space;
}

// Two codes 0..2: (code of a - 1) * x + (code of b - 1) * z.
Expr Pair(const Expr& pair, const Expr& x, const Expr& z) {
  return cast<int16_t>(pair % 3 - 1) * x + cast<int16_t>(pair / 3 - 1) * z;
}

// Four bytes of four 2-bit codes each to the base-3 numbers 0..80 of the codes, byte by byte.
Expr Base3(const Expr& codes) {
  const Expr pairs =
      (codes & Expr(uint32_t{0x33333333})) + ((codes >> 2) & Expr(uint32_t{0x33333333})) * 3;
  return (pairs & Expr(uint32_t{0x0f0f0f0f})) + ((pairs >> 4) & Expr(uint32_t{0x0f0f0f0f})) * 9;
}

KernelParts Build(const Candidate& candidate, const Target& target) {
  const int rows = candidate.Int("rows"), k = candidate.Int("k");
  ColumnsPlan plan;
  plan.layout = Mad2Layout(rows, k);
  plan.y_inner = {{rows, 1}};
  plan.tokens = candidate.Int("m_tile");
  plan.cache = candidate.Int("cache");
  plan.lookups = 4;
  plan.steps = k / 16;
  plan.low = plan.high = 9;  // two codes
  plan.view = plan.layout;
  plan.view.type = Halide::UInt(32);
  plan.view.inner = {1, rows, k / 16};
  plan.word = [](const MatmulBuffers& buffers, const ColumnsPlace& at, Expr q) {
    // The distance of granules is told in bytes, that of K blocks is the view's own.
    return Base3(buffers.w(0, at.rows[0], q, at.kb + at.g * buffers.WBlocks(), 0));
  };
  plan.column = [](Expr i, Expr q, int j) { return i + 4 * j + 16 * q; };
  plan.low_half = [](const Expr& low, const ColumnsPlan::Columns& x) {
    return Pair(low, x(0), x(1));
  };
  plan.high_half = [](const Expr& high, const ColumnsPlan::Columns& x) {
    return Pair(high, x(2), x(3));
  };
  return BuildColumns(plan, target);
}

}  // namespace

extern const Family kVeclutFamily;
const Family kVeclutFamily = {
    .name = "veclut",
    .idea = "one index, the entries of many tokens side by side, plain vector adds",
    .supports = Supports,
    .space = MakeSpace,
    .build = Build,
};

}  // namespace trit
