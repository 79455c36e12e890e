// Three bytes of five trits are five triples, fifteen triples are five words of lut3w. A K block of
// `cache` granules is re-coded into scratch, then all tokens of m_block use it. In 16-bit lanes a
// word costs 31 operations (all five of a period at once, from whole vectors of bytes), a lookup of
// one token a shuffle and an add.
#include "generator/families/lut5/lut5_rows.h"

#include <algorithm>
#include <utility>
#include <vector>

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

// A sum of products with constants, modulo 65536.
using Linear = std::vector<std::pair<int, Expr>>;

// value / divisor for values up to 242: one upper half of a product, exact because
// 242 * (divisor - 1) < 65536.
Expr Quotient(const Expr& value, int divisor) {
  const int inverse = (65536 + divisor - 1) / divisor;
  return cast<uint16_t>((cast<uint32_t>(value) * cast<uint32_t>(inverse)) >> 16);
}

// The triples (0..26) of the base-3 numbers n0, n1, n2 of fifteen trits. Remainders are what is
// left of a number, so that all are linear in the numbers and four quotients: n0 / 9,
// n0 % 9 * 3 + n1 / 81, n1 % 81 / 3, n1 % 3 * 9 + n2 / 27, n2 % 27.
std::vector<Linear> Triples(const Expr& n0, const Expr& n1, const Expr& n2) {
  const Expr q = Quotient(n0, 9), d = Quotient(n1, 81), e = Quotient(n1, 3), f = Quotient(n2, 27);
  return {{{1, q}},
          {{3, n0}, {-27, q}, {1, d}},
          {{1, e}, {-27, d}},
          {{9, n1}, {-27, e}, {1, f}},
          {{1, n2}, {-27, f}}};
}

// Three triples in fives of bits. A term that two of them have is multiplied once.
Expr Word(const Linear* triples) {
  Linear all;
  for (int i = 0; i < 3; ++i) {
    for (const auto& [factor, term] : triples[i]) {
      const Expr& wanted = term;
      auto at = std::find_if(all.begin(), all.end(),
                             [&](const auto& other) { return other.second.same_as(wanted); });
      if (at == all.end()) at = all.insert(at, {0, term});
      at->first += factor * (1 << (5 * i));
    }
  }
  Expr sum;
  for (const auto& [factor, term] : all) {
    const Expr product = term * cast<uint16_t>(factor & 65535);
    sum = sum.defined() ? sum + product : product;
  }
  return sum;
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
  std::vector<Linear> triples;
  for (int first = 0; first < 9; first += 3) {
    const std::vector<Linear> three =
        Triples(number(9 * q + first), number(9 * q + first + 1), number(9 * q + first + 2));
    triples.insert(triples.end(), three.begin(), three.end());
  }
  std::vector<Expr> words;
  for (int at = 0; at < 5; ++at) words.push_back(Word(&triples[static_cast<size_t>(3 * at)]));
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
  word.bound_extent(v, vecs).reorder(b, l, h, c, v, q, kb, g);
  word.vectorize(b).vectorize(l).vectorize(h).unroll(c);
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
