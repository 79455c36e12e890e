#include "generator/families/common/triples.h"

namespace trit {

using Halide::cast;
using Halide::Expr;

namespace {

// Digit i (first is highest) of entry e, minus one; 0 for the entries nobody looks up.
int Digit(int e, int i) {
  if (e >= 27 || i > 2) return 0;
  static const int kPower[3] = {9, 3, 1};
  return e / kPower[i] % 3 - 1;
}

}  // namespace

// Two byte dot products of pairs (the fourth coefficient is 0) and a constant that takes the bias
// out: 3 cycles a table, where three 16-bit multiplies and broadcasts took about 6.
TripleTables::TripleTables(const Halide::ImageParam& act) {
  Halide::Buffer<int8_t> digit({2, kTripleEntries, 2}, "digit");
  Halide::Buffer<int16_t> bias(kTripleEntries, "bias");
  for (int entry = 0; entry < kTripleEntries; ++entry) {
    int total = 0;
    for (int i = 0; i < 4; ++i) {
      digit(i % 2, entry, i / 2) = static_cast<int8_t>(Digit(entry, i));
      total += Digit(entry, i);
    }
    bias(entry) = static_cast<int16_t>(-128 * total);
  }
  Halide::RDom d(0, 2, 0, 2, "d");
  sum(e, t, j, kb, mb) = bias(e);
  sum(e, t, j, kb, mb) +=
      cast<int16_t>(act(d.x + 2 * d.y + 3 * j, t, kb, mb)) * cast<int16_t>(digit(d.x, e, d.y));
  table(e, t, j, kb, mb) = sum(e, t, j, kb, mb);
  pair = d.x;
  half = d.y;
}

void TripleTables::Schedule(const Halide::Func& consumer, const Halide::Var& at, int tokens,
                            int groups) {
  Halide::Var jo("jo"), ji("ji");
  table.compute_at(consumer, at).store_in(Halide::MemoryType::Heap).bound(e, 0, kTripleEntries);
  table.bound(t, 0, tokens).bound(j, 0, groups).split(j, jo, ji, 3).reorder(e, ji, t, jo);
  table.vectorize(e).unroll(ji).unroll(t);
  sum.compute_at(table, ji).store_in(Halide::MemoryType::Register).vectorize(e);
  sum.update().reorder(pair, e, half).atomic().vectorize(pair).vectorize(e).unroll(half);
}

}  // namespace trit
