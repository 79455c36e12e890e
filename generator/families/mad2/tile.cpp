// mad2 by matrix instructions (bodies/tile.c): vectors of weights are two rows of eight columns,
// those of activations two tokens.
#include <numeric>

#include "generator/families/mad2/mad2.h"
#include "targets/base/error.h"

namespace trit {

KernelParts BuildTileMad2(const Candidate& candidate) {
  const int rows = candidate.Int("rows"), k = candidate.Int("k"), tokens = candidate.Int("m_tile");
  const LayoutSpec layout = Mad2Layout(rows, k, 8);
  ActFormSpec form;
  form.id = Join("pairs-m", tokens, "-k", k, ".v1");
  form.code = "pairs";
  form.type = Halide::Int(8);
  form.inner = {8, 2, k / 8, tokens / 2};
  form.granule = tokens;
  form.k_step = k;
  form.align = std::gcd(64, tokens * k);
  form.fixed_type = Halide::Int(32);
  form.fixed_count = tokens;
  KernelParts p{layout, form, MatmulBuffers(layout, form), Halide::Func("y"), {{rows, 1}}};
  p.m_granule = tokens;
  p.body = kMad2Tile;
  p.wanted = {"usmmla"};
  return p;
}

}  // namespace trit
