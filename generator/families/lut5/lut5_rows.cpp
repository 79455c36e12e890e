// Three bytes of five trits are five triples, fifteen triples are five words of lut3w. A K block of
// `cache` granules is re-coded into scratch, then all tokens of m_block use it. In 16-bit lanes a
// word costs about 25 operations, a lookup of one token a shuffle and an add: 6 % at 32 tokens.
#include "generator/families/lut5/lut5_rows.h"

#include <algorithm>

#include "generator/families/common/knobs.h"
#include "generator/families/common/triples.h"
#include "generator/forms/rows.h"

namespace trit {

using Halide::cast;
using Halide::Expr;
using Halide::Func;
using Halide::MemoryType;
using Halide::RDom;
using Halide::Var;

namespace {

// Triple `at` (0..4) of the base-3 numbers n0, n1, n2 of fifteen trits, as 0..26.
Expr Triple(const std::vector<Expr>& n, int at) {
  const auto c = [](int v) { return cast<uint16_t>(v); };
  switch (at) {
    case 0:
      return n[0] / c(9);
    case 1:
      return n[0] % c(9) * c(3) + n[1] / c(81);
    case 2:
      return n[1] % c(81) / c(3);
    case 3:
      return n[1] % c(3) * c(9) + n[2] / c(27);
    default:
      return n[2] % c(27);
  }
}

}  // namespace

KernelParts BuildLut5Rows(const LayoutSpec& layout, const Candidate& candidate,
                          const Target& target) {
  const int rows = candidate.Int("rows"), steps = candidate.Int("steps");
  const int tokens = candidate.Int("m_tile"), cache = candidate.Int("cache");
  const int unit = target.vector_bytes, vecs = rows / unit, periods = steps / 9;
  const ActFormSpec form = BiasedRowsForm(tokens, 5 * steps);
  KernelParts p{layout,
                form,
                MatmulBuffers(layout, form),
                Func("y"),
                {{8, 1}, {unit / 16, 8}, {2, unit / 2}, {vecs, unit}}};
  p.m_granule = tokens;
  p.m_block = std::max(1, candidate.Int("m_block") / tokens) * tokens;

  Var b("b"), l("l"), h("h"), v("v"), g("g"), t("t"), mb("mb"), kb("kb"), c("c"), q("q");
  Var go("go"), gi("gi");
  // Word c of period q: five words of nine bytes.
  const auto number = [&](Expr step) {
    const Expr byte = cast<uint16_t>(p.buffers.W({b, h, l, v, step}, kb, g));
    const Expr size = byte & cast<uint16_t>(127);
    return select(byte > size, cast<uint16_t>(121) - size, cast<uint16_t>(121) + size);
  };
  std::vector<Expr> words;
  for (int word = 0; word < 5; ++word) {
    Expr bits = cast<uint16_t>(0);
    for (int i = 0; i < 3; ++i) {
      const int triple = 3 * word + i, first = triple / 5 * 3;
      std::vector<Expr> n;
      for (int byte = 0; byte < 3; ++byte) n.push_back(number(9 * q + first + byte));
      bits = bits | (Triple(n, triple % 5) << cast<uint16_t>(5 * i));
    }
    words.push_back(bits);
  }
  Func word("word"), acc("acc");
  word(b, l, h, v, c, q, kb, g) = mux(c, words);

  TripleTables made(p.buffers.act);
  RDom k(0, 3, 0, 5, 0, periods, "k");
  const Expr index =
      (word(b, l, h, v, k.y, k.z, kb, g) >> cast<uint16_t>(5 * k.x)) & cast<uint16_t>(31);
  acc(b, l, h, v, g, t, mb, kb) = cast<int16_t>(0);
  acc(b, l, h, v, g, t, mb, kb) +=
      made.table(cast<int>(index), t, k.x + 3 * k.y + 15 * k.z, kb, mb);
  RDom blocks(0, p.buffers.WBlocks(), "blocks");
  p.y(b, l, h, v, g, t, mb) = 0;
  p.y(b, l, h, v, g, t, mb) += cast<int>(acc(b, l, h, v, g, t, mb, blocks));

  p.y.bound(b, 0, 8).bound(l, 0, unit / 16).bound(h, 0, 2).bound(v, 0, vecs).bound(t, 0, tokens);
  p.y.vectorize(b).vectorize(l).unroll(h).unroll(v);
  p.y.update().split(g, go, gi, cache, Halide::TailStrategy::GuardWithIf);
  p.y.update().reorder(b, l, h, v, t, gi, mb, go, blocks);
  p.y.update().vectorize(b).vectorize(l).unroll(h).unroll(v).unroll(t);
  p.scratch_bytes =
      TripleTables::ScratchBytes(tokens, 15 * periods) + 2 * rows * 5 * periods * cache + 256;
  made.Schedule(p.y, mb, tokens, 15 * periods);
  word.compute_at(p.y, go).store_in(MemoryType::Heap).bound(c, 0, 5).bound(q, 0, periods);
  word.bound_extent(v, vecs).reorder(b, l, h, v, c, q, kb, g);
  word.vectorize(b).vectorize(l).unroll(h).unroll(c);
  acc.compute_at(p.y, gi).store_in(MemoryType::Register);
  acc.bound_extent(v, vecs).bound_extent(t, tokens).reorder(b, l, h, v, t);
  acc.vectorize(b).vectorize(l).unroll(h).unroll(v).unroll(t);
  acc.update().reorder(b, l, h, v, t, k.x, k.y, k.z);
  acc.update().vectorize(b).vectorize(l).unroll(h).unroll(v).unroll(t).unroll(k.x);
  if (candidate.Int("prefetch") > 0) {  // the words of the next granule, from the second cache
    acc.update().prefetch(word, k.z, k.z, periods, Halide::PrefetchBoundStrategy::NonFaulting);
  }
  ApplyKnobs(candidate, &p);
  p.tie_lookups = candidate.Name("order") == "tied";
  p.wanted = {"vpermw"};
  return p;
}

}  // namespace trit
