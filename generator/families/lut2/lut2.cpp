// lut2: pairs of trits, nine of sixteen entries, two lookups a byte.
#include "generator/families/common/planes.h"
#include "generator/select/micro_ops.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Halide::cast;
using Halide::Expr;

bool Supports(const Target& target) {
  return HasBody(target, "lut2_scalable") ||
         (target.vector_bytes >= 16 && HasMicroOp(target, "trit_join16", target.vector_bytes));
}

Space MakeSpace(const Target& target) {
  return PlanesSpace("lut2", {8, 16, 32, 48, 60}, "bytes (four columns) of a K block", target);
}

LayoutSpec Layout(const Candidate& candidate, const Target& target) {
  return QuadLayout("lut2", candidate, target);
}

KernelParts BuildManyTokens(const Candidate& candidate, const Target& target) {
  ColumnsPlan plan = QuadColumns(Layout(candidate, target), candidate, target, 9, 16);
  plan.low_half = [](const Expr& e, const ColumnsPlan::Columns& x) {
    return TritPair(e, x(0), x(1));
  };
  plan.high_half = [](const Expr& e, const ColumnsPlan::Columns& x) {
    return TritPair(e, x(2), x(3));
  };
  return BuildColumns(plan, target);
}

KernelParts Build(const Candidate& candidate, const Target& target) {
  if (candidate.Name("form") == "columns") return BuildManyTokens(candidate, target);
  PlanesPlan plan;
  plan.rows = candidate.Int("rows");
  plan.steps = candidate.Int("steps");
  plan.unroll = candidate.Int("unroll");
  plan.prefetch = candidate.Int("prefetch");
  plan.layout = Layout(candidate, target);
  plan.form = PlanesForm(2, 16, PlaneDigits::kBase3, 2 * plan.steps, false);
  plan.lookups = 2;
  plan.value = [](const MatmulBuffers& buffers, const PlanePlace& at) {
    const Expr byte = buffers.w(at.b, at.h, at.l, at.v, at.k.y, at.kb, at.g);
    const Expr index = (byte >> cast<uint8_t>(4 * at.k.x)) & cast<uint8_t>(15);
    return JoinEntry(buffers, at, index, at.k.x + 2 * at.k.y);
  };
  plan.start = [](const MatmulBuffers&, const PlanePlace&) -> Expr { return 0; };
  if (HasBody(target, "lut2_scalable")) plan.body = "lut2_scalable";
  KernelParts parts = BuildPlanes(plan, target);
  parts.wanted = {"pshufb|tbl"};
  return parts;
}

}  // namespace

extern const Family kLut2Family;
const Family kLut2Family = {
    .name = "lut2",
    .idea = "pairs of trits, nine of sixteen entries by a byte shuffle",
    .supports = Supports,
    .space = MakeSpace,
    .build = Build,
};

}  // namespace trit
