// Vector lookups: the index of a group of columns is read once as a scalar, and the entries of many
// tokens, which lie side by side, are added with plain vector loads and adds. No shuffle, no
// product: the road to many tokens where a target has no dot product, for any layout whose bytes
// are indices.
//
// A step is a few lookups (16 columns): their tables are made for `m_tile` tokens and stay in the
// first cache while all rows of `cache` granules pass. A row's indices in a step are one 32-bit
// word, made of the packed bytes once a K block, so that a row costs one scalar load, its lookups
// and one load and store of its sums: loads are the limit (two a cycle on Zen 4, four columns of 16
// tokens each with AVX2). Sums are int16; the last step before 256 columns is full is added to the
// int32 sums beside them (240 * 128 = 30720), which lie in scratch and go to y transposed.
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
  int low = 1, high = 1;  // entries: low + `low` * high, at most 256
  // The index of lookup i of step q: low and high part (int).
  std::function<std::pair<Halide::Expr, Halide::Expr>(const MatmulBuffers&, const ColumnsPlace&,
                                                      Halide::Expr i, Halide::Expr q)>
      index;
  // Or the indices of four lookups at once, a byte each (uint32), where the packed bytes, read as
  // the elements of `view`, allow it.
  std::function<Halide::Expr(const MatmulBuffers&, const ColumnsPlace&, Halide::Expr q)> word;
  LayoutSpec view;  // how `word` reads the bytes of `layout`: as many dimensions
  // An entry is low_half(low) + high_half(high): int16, from x(j), the j-th column of the group.
  using Columns = std::function<Halide::Expr(int j)>;
  std::function<Halide::Expr(const Halide::Expr&low, const Columns&x)> low_half, high_half;
  // Which column of the K block x(j) is.
  std::function<Halide::Expr(Halide::Expr i, Halide::Expr q, int j)> column;
};

KernelParts BuildColumns(const ColumnsPlan& plan, const Target& target);

}  // namespace trit
