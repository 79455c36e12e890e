// bits: bit-serial quads (T-MAC): one table of subset sums serves both bit planes.
#include "generator/families/common/planes.h"
#include "generator/select/micro_ops.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Halide::cast;
using Halide::Expr;

bool Supports(const Target& target) {
  return HasBody(target, "bits_scalable") ||
         (target.vector_bytes >= 16 && HasMicroOp(target, "trit_join16", target.vector_bytes));
}

Space MakeSpace(const Target& target) {
  return PlanesSpace("bits", {8, 16, 32, 48, 60}, "bytes (four columns) of a K block", target);
}

LayoutSpec Layout(const Candidate& candidate, const Target& target) {
  return QuadLayout("bits", candidate, target);
}

KernelParts BuildManyTokens(const Candidate& candidate, const Target& target) {
  ColumnsPlan plan = QuadColumns(Layout(candidate, target), candidate, target, 16, 16);
  // Low bits less one of every code, then twice the high bits.
  plan.low_half = [](const Expr& e, const ColumnsPlan::Columns& x) {
    Expr sum = cast<int16_t>(e % 2 - 1) * x(0);
    for (int j = 1; j < 4; ++j) sum += cast<int16_t>(e / (1 << j) % 2 - 1) * x(j);
    return sum;
  };
  plan.high_half = [](const Expr& e, const ColumnsPlan::Columns& x) {
    Expr sum = cast<int16_t>(2 * (e % 2)) * x(0);
    for (int j = 1; j < 4; ++j) sum += cast<int16_t>(2 * (e / (1 << j) % 2)) * x(j);
    return sum;
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
  plan.form = PlanesForm(4, 16, PlaneDigits::kBits, plan.steps, true);
  plan.planes = 2;
  plan.value = [](const MatmulBuffers& buffers, const PlanePlace& at) {
    const Expr byte = buffers.w(at.b, at.h, at.l, at.v, at.k.y, at.kb, at.g);
    const Expr index = (byte >> cast<uint8_t>(4 * at.plane)) & cast<uint8_t>(15);
    return JoinEntry(buffers, at, index, at.k.y);
  };
  plan.start = [](const MatmulBuffers& buffers, const PlanePlace& at) -> Expr {
    return -buffers.act_fixed(0, at.mb);
  };
  if (HasBody(target, "bits_scalable")) plan.body = "bits_scalable";
  KernelParts parts = BuildPlanes(plan, target);
  parts.wanted = {"pshufb|tbl"};
  return parts;
}

}  // namespace

extern const Family kBitsFamily;
const Family kBitsFamily = {
    .name = "bits",
    .idea = "bit-serial quads, one table of subset sums for both bit planes",
    .supports = Supports,
    .space = MakeSpace,
    .build = Build,
};

}  // namespace trit
