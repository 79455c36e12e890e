// What the families with byte-plane tables share: int16 entries that lie as a plane of low and one
// of high bytes, looked up with a byte shuffle, joined by unpack instructions, summed in int16 for
// a K block, then added to y. A family says how a byte of weights becomes indices.
#pragma once

#include <functional>

#include "generator/families/common/columns.h"
#include "generator/family.h"

namespace trit {

// Coordinates of a byte of weights: row 8 l + (unit / 2) h + unit v + b of granule g, step k.y of K
// block kb, lookup k.x of that byte, token mb.
struct PlanePlace {
  Halide::Var b{"b"}, l{"l"}, h{"h"}, v{"v"}, g{"g"}, t{"t"}, mb{"mb"}, kb{"kb"};
  Halide::Var plane{"plane"};
  Halide::RDom k;
};

struct PlanesPlan {
  LayoutSpec layout;  // inner {8, 2, unit / 16, rows / unit, ...}
  ActFormSpec form;   // PlanesForm
  int rows = 0;
  int lookups = 1;  // of a step
  int steps = 1;    // of a K block
  int planes = 1;   // sums that count 1, 2, 4 ...
  int unroll = 1, prefetch = 0;
  std::string body;  // a stage in C instead of `value` and `start` (KernelParts::body)
  std::function<Halide::Expr(const MatmulBuffers&, const PlanePlace&)> value;  // int16
  std::function<Halide::Expr(const MatmulBuffers&, const PlanePlace&)> start;  // int32, of y
};

// Bytes whose rows the unpack instructions interleave: a vector, or 16 where lengths are unknown
// (zip leaves them in order).
int PlaneUnit(const Target& target);

// group values to an entry; kind as forms/planes.c has it; sums: carry the token's sum; low_bits:
// 8, or 7 for byte_sums.h.
enum class PlaneDigits { kBase3 = 0, kBalanced = 1, kBits = 2 };
ActFormSpec PlanesForm(int group, int entries, PlaneDigits digits, int groups, bool sums,
                       int low_bits = 8);

// {8, 2, unit / 16, rows / unit} and the option that the packers' TritRowOf needs.
LayoutSpec PlanesLayout(const std::string& code, int rows, int unit, int k_step);

// Joined entry of group `group`, index `index` (uint8): trit_join of both planes.
Halide::Expr JoinEntry(const MatmulBuffers& buffers, const PlanePlace& at, Halide::Expr index,
                       Halide::Expr group);
// The same, complemented where the top bit of `sign` (uint8) is set.
Halide::Expr JoinSigned(const MatmulBuffers& buffers, const PlanePlace& at, Halide::Expr index,
                        Halide::Expr group, Halide::Expr sign);

KernelParts BuildPlanes(const PlanesPlan& plan, const Target& target);

// The choices of such a family: rows of a granule, `steps` of a K block (`about` says of what),
// unrolling, prefetch, and the form. form=tables: lookups of one token; form=columns: vector
// lookups of the same bytes for m_tile tokens. Where vector lengths are unknown a stage in C is all
// there is: tables, with neither unrolling nor prefetch.
Space PlanesSpace(const char* family, const std::vector<int>& steps, const char* about,
                  const Target& target);

// What a plan over the same layout begins with: rows, tokens, cache, K blocks of `steps` steps.
ColumnsPlan PlaneColumns(const LayoutSpec& layout, const Candidate& candidate,
                         const Target& target);

// Families of a byte for four columns: the layout of `steps` such bytes a K block, and the plan
// over it. A half of a byte's index has `values` values, the high half counts in `place`s.
LayoutSpec QuadLayout(const char* family, const Candidate& candidate, const Target& target);
ColumnsPlan QuadColumns(const LayoutSpec& layout, const Candidate& candidate, const Target& target,
                        int values, int place);

// The two trits of a base-3 number below nine times x and z.
Halide::Expr TritPair(const Halide::Expr& number, const Halide::Expr& x, const Halide::Expr& z);

// The byte `i` of step `step` of a row: i is left out where a step is one byte.
Halide::Expr ColumnByte(const MatmulBuffers& buffers, const ColumnsPlace& at, Halide::Expr step);

}  // namespace trit
