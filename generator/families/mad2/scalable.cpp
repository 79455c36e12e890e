// mad2 with vectors whose length is known only when the code runs: the same layout and activation
// form as the fixed-width kernels', a stage in C (bodies/scalable.c).
#include "generator/families/mad2/mad2.h"
#include "generator/forms/rows.h"

namespace trit {

Space ScalableMad2Space(const Target& target) {
  Space space("mad2", target.key);
  space.Ints("rows", {8, 16, 32, 64, 128}, "rows of a granule")
      .Ints("k", {64, 128, 256}, "columns of a K block")
      .Ints("m_tile", {1, 2, 3, 4}, "tokens in registers")
      .Ints("vectors", {1, 2, 4}, "most vectors of rows in registers");
  return space;
}

KernelParts BuildScalableMad2(const Candidate& candidate) {
  const int rows = candidate.Int("rows"), k = candidate.Int("k"), tokens = candidate.Int("m_tile");
  const LayoutSpec layout = Mad2Layout(rows, k);
  const ActFormSpec form = RowsForm(tokens, k);
  KernelParts p{layout, form, MatmulBuffers(layout, form), Halide::Func("y"), {{rows, 1}}};
  p.m_granule = tokens;
  p.body = kMad2Scalable;
  p.body_option = {tokens, candidate.Int("vectors")};
  p.wanted = {"sdot|usdot"};
  return p;
}

}  // namespace trit
