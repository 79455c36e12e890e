// lut4: four trits a byte, 81 of 128 entries, one lookup a byte.
#include "generator/families/common/byte_sums.h"
#include "generator/families/common/planes.h"
#include "generator/select/micro_ops.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Halide::cast;
using Halide::Expr;

constexpr const char* kScalable = "lut4_scalable2";

bool Supports(const Target& target) {
  if (HasBody(target, kScalable) || HasByteSums(target)) return true;
  return target.vector_bytes >= 16 && HasMicroOp(target, "trit_join128", target.vector_bytes);
}

Space MakeSpace(const Target& target) {
  return PlanesSpace("lut4", {16, 32, 48, 60}, "bytes (four columns) of a K block", target);
}

LayoutSpec Layout(const Candidate& candidate, const Target& target) {
  return QuadLayout("lut4", candidate, target);
}

KernelParts BuildManyTokens(const Candidate& candidate, const Target& target) {
  ColumnsPlan plan = QuadColumns(Layout(candidate, target), candidate, target, 9, 9);
  plan.high_half = [](const Expr& e, const ColumnsPlan::Columns& x) {
    return TritPair(e, x(0), x(1));
  };
  plan.low_half = [](const Expr& e, const ColumnsPlan::Columns& x) {
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
  const bool bytes = HasByteSums(target);
  plan.form = PlanesForm(4, 128, PlaneDigits::kBase3, plan.steps, false, bytes ? 7 : 8);
  plan.value = [](const MatmulBuffers& buffers, const PlanePlace& at) {
    const Expr byte = buffers.w(at.b, at.h, at.l, at.v, at.k.y, at.kb, at.g);
    return JoinEntry(buffers, at, byte & cast<uint8_t>(127), at.k.y);
  };
  plan.start = [](const MatmulBuffers&, const PlanePlace&) -> Expr { return 0; };
  if (HasBody(target, kScalable)) plan.body = kScalable;
  KernelParts parts = bytes ? BuildByteSums(plan, false) : BuildPlanes(plan, target);
  parts.tie_lookups = bytes;
  parts.wanted = {"vpermi2b|vpermt2b|tbl"};
  return parts;
}

}  // namespace

extern const Family kLut4Family;
const Family kLut4Family = {
    .name = "lut4",
    .idea = "four trits a byte, 81 of 128 entries by a byte permute",
    .supports = Supports,
    .space = MakeSpace,
    .build = Build,
};

}  // namespace trit
