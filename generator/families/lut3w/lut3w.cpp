// lut3w: nine trits in a 16-bit word, three 5-bit indices into 32-entry tables of int16.
//
// One table is one vector: its 27 entries are the sums a group of three activations can give. The
// lookup reads the low five bits of a lane and ignores the others, so a word is used as it is; its
// second index is the low five bits of its upper byte, which a load from one byte further on brings
// down for nothing; the third is scattered over the six bits left so that one multiplication
// gathers it (lut3w.c). Per 96 multiply-accumulates one permute, one add and a third of a
// multiplication, where the dot product unit does 64. The sums stay in int16 for a K block of at
// most 85 groups (85 * 384 = 32640) and are then added to y.
//
//   form=tables  tables made once per token by the activation form: decode and very small M
//   form=rows    tables of m_tile tokens made inside, once per K block, used for all rows
//   second=shift  the upper byte shifted down: for machines whose loads across lines are dear;
//                 mixed: every second vector's, where loads and the shifts' unit are both short
//   order=tied    all of a table's lookups, then their sums (backend/tie.h)
#include <algorithm>
#include <optional>

#include "generator/families/common/knobs.h"
#include "generator/families/common/triples.h"
#include "generator/family.h"
#include "generator/forms/rows.h"
#include "generator/select/micro_ops.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Halide::cast;
using Halide::Expr;
using Halide::Func;
using Halide::MemoryType;
using Halide::RDom;
using Halide::Var;

constexpr int kEntries = kTripleEntries;
constexpr int kThird = 1056;  // times a word, upper half: its third index (lut3w.c)

int Lanes(const Target& target) {
  return target.vector_bytes / 2;
}

bool Supports(const Target& target) {
  return target.vector_bytes >= 16 && HasMicroOp(target, "trit_word32", Lanes(target)) &&
         HasMicroOp(target, "trit_high_product", Lanes(target)) &&
         HasMicroOp(target, "trit_next_byte", Lanes(target));
}

Space MakeSpace(const Target& target) {
  Space space("lut3w", target.key);
  space.Names("form", {"tables", "rows"}, "where lookup tables are made")
      .Ints("rows", {64, 96, 128, 160, 192}, "rows of a granule")
      .Ints("words", {16, 19, 20, 22, 24, 26, 28}, "words (nine columns) of a K block")
      .Ints("m_tile", {1, 2, 3, 4, 5, 6, 8}, "tokens in registers")
      .Ints("unroll", {1, 2, 4}, "words per loop iteration")
      .Ints("m_block", {8, 12, 16, 24, 32, 48, 64}, "tokens whose sums stay in cache")
      .Names("second", {"load", "mixed", "shift"}, "how a word's upper byte comes down")
      .Names("order", {"free", "tied"}, "a table's lookups: as LLVM orders them, or in a row")
      .Rule("accumulators, words and a table fit 32 registers",
            [&target](const Candidate& c) {
              const int vecs = c.Int("rows") / Lanes(target);
              return vecs * (c.Int("m_tile") + 1) + 1 <= 31;
            })
      .Rule("tables made outside are one token's",
            [](const Candidate& c) { return c.Name("form") == "rows" || c.Int("m_tile") == 1; })
      .Rule("the loop divides a K block",
            [](const Candidate& c) { return c.Int("words") % c.Int("unroll") == 0; });
  AddKnobs(target, {0, 8, 16, 24, 32, 48, 96}, &space);
  return space;
}

LayoutSpec Layout(int rows, int words) {
  LayoutSpec layout;
  layout.id = Join("lut3w-r", rows, "-k", 9 * words, ".v3");
  layout.code = "lut3w";
  layout.type = Halide::UInt(16);
  layout.inner = {rows, words};
  layout.granule = rows;
  layout.k_step = 9 * words;
  layout.k_outer = layout.halves = true;
  layout.fixed_count = 16;  // nothing: the last word's upper byte is read with the byte behind it
  return layout;
}

ActFormSpec TablesForm(int words) {
  ActFormSpec form;
  form.id = Join("triples-k", 9 * words, ".v1");
  form.code = "triples";
  form.type = Halide::Int(16);
  form.inner = {kEntries, 3 * words};
  form.granule = 1;
  form.k_step = 9 * words;
  return form;
}

KernelParts Build(const Candidate& candidate, const Target& target) {
  const int rows = candidate.Int("rows"), words = candidate.Int("words");
  const int tokens = candidate.Int("m_tile"), lanes = Lanes(target);
  const bool tables = candidate.Name("form") == "tables";
  const LayoutSpec layout = Layout(rows, words);
  const ActFormSpec form = tables ? TablesForm(words) : BiasedRowsForm(tokens, 9 * words);
  KernelParts p{layout, form, MatmulBuffers(layout, form), Func("y"), {{rows, 1}}};
  p.m_granule = tokens;
  p.m_block = std::max(1, candidate.Int("m_block") / tokens) * tokens;

  Var r("r"), g("g"), t("t"), mb("mb"), kb("kb"), ro("ro"), ri("ri");
  std::optional<TripleTables> made;
  if (!tables) made.emplace(p.buffers.act);

  RDom k(0, 3, 0, words, "k");  // index in the word, word
  const Expr word = p.buffers.W({r, k.y}, kb, g);
  const auto call = [](const char* name, const std::vector<Expr>& args) {
    return Halide::Internal::Call::make(Halide::UInt(16), name, args,
                                        Halide::Internal::Call::PureExtern);
  };
  const Expr loaded = call("trit_next_byte", {word}), shifted = word >> cast<uint16_t>(8);
  const std::string& second = candidate.Name("second");
  const Expr upper = second == "load"    ? loaded
                     : second == "shift" ? shifted
                                         : select(r / lanes % 2 == 0, loaded, shifted);
  const Expr third = call("trit_high_product", {word, cast<uint16_t>(kThird)});
  const Expr index = mux(k.x, {word, upper, third}) & cast<uint16_t>(kEntries - 1);
  const Expr value = tables ? p.buffers.act(cast<int>(index), k.x + 3 * k.y, kb, mb)
                            : made->table(cast<int>(index), t, k.x + 3 * k.y, kb, mb);
  Func acc("acc");
  acc(r, g, t, mb, kb) = cast<int16_t>(0);
  acc(r, g, t, mb, kb) += value;
  RDom b(0, p.buffers.WBlocks(), "b");
  p.y(r, g, t, mb) = 0;
  p.y(r, g, t, mb) += cast<int>(acc(r, g, t, mb, b));

  p.y.bound(r, 0, rows).bound(t, 0, tokens).vectorize(r, target.vector_bytes / 4).unroll(r);
  auto update = p.y.update();
  update.split(r, ro, ri, lanes).vectorize(ri).unroll(ro).unroll(t);
  if (tables) {
    update.reorder(ri, ro, t, mb, g, b);  // a block of weights stays in L1 for all tokens
    acc.compute_at(p.y, mb);
  } else {
    update.reorder(ri, ro, t, g, mb, b);  // m_tile tokens' tables stay in L1 for all rows
    acc.compute_at(p.y, g);
    p.scratch_bytes = TripleTables::ScratchBytes(tokens, 3 * words);
    made->Schedule(p.y, mb, tokens, 3 * words);
  }
  acc.store_in(MemoryType::Register).bound_extent(r, rows).bound_extent(t, tokens);
  acc.vectorize(r, lanes).unroll(r).unroll(t);
  acc.update().split(r, ro, ri, lanes).reorder(ri, ro, t, k.x, k.y);
  acc.update().vectorize(ri).unroll(ro).unroll(t).unroll(k.x);
  if (candidate.Int("unroll") > 1) acc.update().unroll(k.y, candidate.Int("unroll"));
  if (const int ahead = candidate.Int("prefetch")) {
    acc.update().prefetch(p.buffers.w, k.y, k.y, ahead, Halide::PrefetchBoundStrategy::NonFaulting);
  }
  ApplyKnobs(candidate, &p);
  p.tie_lookups = candidate.Name("order") == "tied";
  p.wanted = {"vpermw"};
  return p;
}

}  // namespace

extern const Family kLut3wFamily;
const Family kLut3wFamily = {
    .name = "lut3w",
    .idea = "nine trits a word, three 5-bit indices into 32-entry int16 tables",
    .supports = Supports,
    .space = MakeSpace,
    .build = Build,
};

}  // namespace trit
