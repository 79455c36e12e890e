// lut5: five trits a byte, a sign and seven index bits into 122 int16 entries in two byte planes.
#include "generator/families/common/byte_sums.h"
#include "generator/families/common/knobs.h"
#include "generator/families/common/planes.h"
#include "generator/families/lut5/lut5_rows.h"
#include "generator/select/micro_ops.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Halide::cast;
using Halide::Expr;

bool Supports(const Target& target) {
  return HasByteSums(target) ||
         (target.vector_bytes >= 16 && HasMicroOp(target, "trit_five128", target.vector_bytes));
}

Space MakeSpace(const Target& target) {
  const int unit = target.vector_bytes;
  Space space("lut5", target.key);
  space.Names("form", {"tables", "rows"}, "tables made outside, or words re-coded inside")
      .Ints("rows", {16, 32, 64, 128, 256}, "rows of a granule")
      .Ints("steps", {16, 18, 24, 27, 32, 36, 43, 45, 48}, "bytes (five columns) of a K block")
      .Ints("unroll", {1, 2, 4}, "steps per loop iteration")
      .Ints("m_tile", {1, 2, 3, 4, 5, 6}, "tokens in registers")
      .Ints("m_block", {8, 16, 32, 64, 128, 256}, "tokens that share re-coded words")
      .Ints("cache", {4, 8, 16, 32, 64}, "granules re-coded at once")
      .Names("order", {"free", "tied"}, "a table's lookups: as LLVM orders them, or in a row")
      .Rule("re-coding needs word lookups and whole words",
            [&target](const Candidate& c) {
              return c.Name("form") == "tables" ||
                     (c.Int("steps") % 9 == 0 && c.Int("rows") % target.vector_bytes == 0 &&
                      HasMicroOp(target, "trit_word32", target.vector_bytes / 2));
            })
      .Rule("accumulators fit the registers, tables made outside are one token's",
            [&target](const Candidate& c) {
              if (c.Name("form") == "tables") return c.Int("m_tile") == 1;
              return 2 * c.Int("rows") / target.vector_bytes * (c.Int("m_tile") + 1) <= 30;
            })
      .Rule("a granule is a whole number of vectors",
            [unit](const Candidate& c) { return c.Int("rows") % unit == 0; })
      .Rule("the loop divides a K block",  // in pairs where bytes are summed, an odd step behind it
            [&target](const Candidate& c) {
              return c.Int("steps") / (HasByteSums(target) ? 2 : 1) % c.Int("unroll") == 0;
            });
  AddKnobs(target, {0, 8, 16, 24, 27, 32, 36, 40, 48, 54, 64, 96}, &space);
  return space;
}

LayoutSpec Layout(const Candidate& candidate, const Target& target) {
  const int rows = candidate.Int("rows"), steps = candidate.Int("steps");
  LayoutSpec layout = PlanesLayout("lut5", rows, target.vector_bytes, 5 * steps);
  layout.id = Join("lut5-r", rows, "-v", target.vector_bytes, "-k", 5 * steps, ".v2");
  layout.halves = true;
  layout.inner.push_back(steps);
  layout.fixed_count = rows;
  return layout;
}

KernelParts Build(const Candidate& candidate, const Target& target) {
  if (candidate.Name("form") == "rows") {
    return BuildLut5Rows(Layout(candidate, target), candidate, target);
  }
  PlanesPlan plan;
  plan.rows = candidate.Int("rows");
  plan.steps = candidate.Int("steps");
  plan.unroll = candidate.Int("unroll");
  plan.prefetch = candidate.Int("prefetch");
  plan.layout = Layout(candidate, target);
  const bool bytes = HasByteSums(target);
  plan.form = PlanesForm(5, 128, PlaneDigits::kBalanced, plan.steps, false, bytes ? 7 : 8);
  plan.value = [](const MatmulBuffers& buffers, const PlanePlace& at) {
    const Expr byte = buffers.W({at.b, at.h, at.l, at.v, at.k.y}, at.kb, at.g);
    return JoinSigned(buffers, at, byte & cast<uint8_t>(127), at.k.y, byte);
  };
  const int unit = target.vector_bytes;
  plan.start = [unit](const MatmulBuffers& buffers, const PlanePlace& at) -> Expr {
    return buffers.w_fixed(at.b + 8 * at.l + unit / 2 * at.h + unit * at.v, at.g);
  };
  KernelParts parts = bytes ? BuildByteSums(plan, true) : BuildPlanes(plan, target);
  ApplyKnobs(candidate, &parts);
  parts.tie_lookups = candidate.Name("order") == "tied";
  parts.wanted = {"vpermi2b|vpermt2b"};
  return parts;
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
