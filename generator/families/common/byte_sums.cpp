#include "generator/families/common/byte_sums.h"

#include "generator/select/micro_ops.h"
#include "targets/base/error.h"

namespace trit {

using Halide::cast;
using Halide::Expr;
using Halide::Func;
using Halide::RDom;
using Halide::Tuple;
using Halide::Type;
using Halide::Var;
using Halide::Internal::Call;

namespace {

constexpr int kBias = 64;    // of a high half
constexpr int kStart = 128;  // of a sum of high halves

Expr Op(Type type, const char* name, const std::vector<Expr>& args) {
  return Call::make(type, name, args, Call::PureExtern);
}

}  // namespace

bool HasByteSums(const Target& target) {
  return target.vector_bytes > 0 && HasMicroOp(target, "trit_half128", target.vector_bytes);
}

KernelParts BuildByteSums(const PlanesPlan& plan, bool has_sign) {
  const int rows = plan.rows;
  const int pairs = plan.steps / 2, odd_steps = pairs, even_steps = plan.steps - pairs;
  if (even_steps > (has_sign ? 25 : 31))
    throw Error(Join(plan.steps, " steps are more than bytes sum up"));
  // Lanes are places of bytes up to trit_gather, then rows: as many dimensions as the layout has.
  LayoutSpec view = plan.layout;
  view.inner = {rows, 1, 1, 1, plan.steps};
  KernelParts p{plan.layout, plan.form, MatmulBuffers(view, plan.form), Func("y"), {{rows, 1}}};

  // Nothing else may use them: LLVM makes byte shifts of affine products, which cost mad2 a sixth.
  if (has_sign) p.extra_features = {"+gfni"};
  Var j("j"), g("g"), t("t"), mb("mb"), kb("kb");
  const auto half = [&](int plane, const Expr& step) {
    const Expr byte = p.buffers.W({j, 0, 0, 0, step}, kb, g);
    const Expr entry = p.buffers.act(cast<int>(byte & cast<uint8_t>(127)), plane, step, kb, mb);
    return Op(Halide::UInt(8), has_sign ? "trit_half_signed" : "trit_half", {entry, byte});
  };
  const auto spread = [](const Expr& bytes) { return Op(Halide::Int(16), "trit_spread", {bytes}); };
  const auto start = [](int steps) { return cast<uint8_t>((kStart - kBias * steps) & 255); };

  Func sums("sums");
  auto sum = sums(j, g, t, mb, kb);
  sum = Tuple(cast<int16_t>(-32768), start(even_steps), start(odd_steps));
  RDom k(0, pairs, "k");
  const Expr step = 2 * k;
  sum = Tuple(sum[0] + spread(half(0, step) + half(0, step + 1)), sum[1] + half(1, step),
              sum[2] + half(1, step + 1));
  if (even_steps > odd_steps) {
    const int last = plan.steps - 1;
    sum = Tuple(sum[0] + spread(half(0, last)), sum[1] + half(1, last), sum[2]);
  }
  RDom blocks(0, p.buffers.WBlocks(), "blocks");
  const auto block = sums(j, g, t, mb, blocks);
  p.y(j, g, t, mb) = has_sign ? Expr(p.buffers.w_fixed(j, g)) : Expr(0);
  p.y(j, g, t, mb) += cast<int>(Op(Halide::Int(16), "trit_gather", {block[0], block[1], block[2]}));

  p.y.bound(j, 0, rows).bound(t, 0, 1);
  p.y.vectorize(j);
  p.y.update().reorder(j, t, mb, g, blocks).vectorize(j);
  sums.compute_at(p.y, mb).store_in(Halide::MemoryType::Register);
  sums.vectorize(j);
  sums.update().reorder(j, k).vectorize(j);
  if (even_steps > odd_steps) sums.update(1).vectorize(j);
  if (plan.unroll > 1) sums.update().unroll(k, plan.unroll);
  if (plan.prefetch > 0) {
    sums.update().prefetch(p.buffers.w, k, k, plan.prefetch / 2,
                           Halide::PrefetchBoundStrategy::NonFaulting);
  }
  return p;
}

}  // namespace trit
