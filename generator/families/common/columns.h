// Vector lookups: the index of a group of columns is read once as a scalar, and the entries of many
// tokens, which lie side by side, are added with plain vector loads and adds. No shuffle, no
// product: the road to many tokens where a target has no dot product, for any layout whose bytes
// are indices.
//
// Tables of a few groups (16 columns) are made for `m_tile` tokens and stay in the first cache
// while all rows of `cache` granules pass; sums are int16 for at most 128 columns (128 * 128 =
// 16384), then int32 in scratch, and go to y transposed at the end.
#pragma once

#include <functional>
#include <vector>

#include "generator/family.h"

namespace trit {

// Coordinates inside a plan's functions.
struct ColumnsPlace {
  std::vector<Halide::Var> rows;  // of a granule, innermost first, as y_inner
  Halide::Var g{"g"}, kb{"kb"}, mb{"mb"}, m{"m"};
};

struct ColumnsPlan {
  LayoutSpec layout;
  std::vector<RowDim> y_inner;
  int tokens = 16;        // side by side
  int cache = 8;          // granules whose sums stay in cache
  int lookups = 4;        // of a step
  int steps = 1;          // of a K block
  int low = 1, high = 1;  // entries: low x high, `stride` apart
  int stride = 1;
  // The index of lookup i (a number) of step q: low and high part.
  std::function<std::pair<Halide::Expr, Halide::Expr>(const MatmulBuffers&, const ColumnsPlace&,
                                                      Halide::Expr i, Halide::Expr q)>
      index;
  // An entry is low_half(low) + high_half(high): int16, from x(j), the j-th column of the group.
  using Columns = std::function<Halide::Expr(int j)>;
  std::function<Halide::Expr(const Halide::Expr&low, const Columns&x)> low_half, high_half;
  // Which column of the K block x(j) is.
  std::function<Halide::Expr(Halide::Expr i, Halide::Expr q, int j)> column;
};

KernelParts BuildColumns(const ColumnsPlan& plan, const Target& target);

}  // namespace trit
