// lut3: triples with a plane of signs, 14 of 16 entries, eight lookups in five bytes.
#include "generator/families/common/planes.h"
#include "generator/select/micro_ops.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Halide::cast;
using Halide::Expr;

bool Supports(const Target& target) {
  return HasBody(target, "lut3_scalable") ||
         (target.vector_bytes >= 16 && HasMicroOp(target, "trit_signed16", target.vector_bytes));
}

Space MakeSpace(const Target& target) {
  return PlanesSpace("lut3", {2, 4, 6, 8, 10}, "five-byte steps (24 columns) of a K block", target);
}

LayoutSpec Layout(const Candidate& candidate, const Target& target) {
  const int rows = candidate.Int("rows"), steps = candidate.Int("steps");
  LayoutSpec layout = PlanesLayout("lut3", rows, PlaneUnit(target), 24 * steps);
  layout.inner.push_back(5);
  layout.inner.push_back(steps);
  layout.fixed_count = rows;
  return layout;
}

KernelParts BuildManyTokens(const Candidate& candidate, const Target& target) {
  ColumnsPlan plan = PlaneColumns(Layout(candidate, target), candidate, target);
  plan.lookups = 8;
  plan.steps = candidate.Int("steps");
  plan.column = [](Expr i, Expr q, int j) { return 3 * i + 24 * q + j; };
  // Sizes 0..13 in the middle of numbers -13..13: high is the sign, low the number plus 13.
  plan.low = 27;
  plan.index = [](const MatmulBuffers& buffers, const ColumnsPlace& at, Expr i, Expr q) {
    const auto byte = [&](Expr place) {
      return cast<int>(
          buffers.w(at.rows[0], at.rows[2], at.rows[1], at.rows[3], place, q, at.kb, at.g));
    };
    const Expr size = (byte(i / 2) >> (4 * (i % 2))) & 15, minus = (byte(4) >> i) & 1;
    return std::pair{clamp(select(minus != 0, 13 - size, 13 + size), 0, 26), Expr(0)};
  };
  plan.low_half = [](const Expr& e, const ColumnsPlan::Columns& x) {
    return cast<int16_t>(e / 9 - 1) * x(0) + cast<int16_t>(e / 3 % 3 - 1) * x(1) +
           cast<int16_t>(e % 3 - 1) * x(2);
  };
  plan.high_half = [](const Expr&, const ColumnsPlan::Columns&) { return cast<int16_t>(0); };
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
  plan.form = PlanesForm(3, 16, PlaneDigits::kBalanced, 8 * plan.steps, false);
  plan.lookups = 8;
  plan.value = [](const MatmulBuffers& buffers, const PlanePlace& at) {
    const auto byte = [&](Expr i) {
      return buffers.w(at.b, at.h, at.l, at.v, i, at.k.y, at.kb, at.g);
    };
    const Expr index = (byte(at.k.x / 2) >> cast<uint8_t>(4 * (at.k.x % 2))) & cast<uint8_t>(15);
    const Expr sign = byte(4) << cast<uint8_t>(7 - at.k.x);
    return JoinSigned(buffers, at, index, at.k.x + 8 * at.k.y, sign);
  };
  const int unit = PlaneUnit(target);
  plan.start = [unit](const MatmulBuffers& buffers, const PlanePlace& at) -> Expr {
    return buffers.w_fixed(at.b + 8 * at.l + unit / 2 * at.h + unit * at.v, at.g);
  };
  if (HasBody(target, "lut3_scalable")) plan.body = "lut3_scalable";
  KernelParts parts = BuildPlanes(plan, target);
  parts.wanted = {"pshufb|tbl"};
  return parts;
}

}  // namespace

extern const Family kLut3Family;
const Family kLut3Family = {
    .name = "lut3",
    .idea = "triples with a plane of signs, 14 of 16 entries by a byte shuffle",
    .supports = Supports,
    .space = MakeSpace,
    .build = Build,
};

}  // namespace trit
