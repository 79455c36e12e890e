// Tables of three values' sums for word lookups (lut3w, and lut5 at many tokens), made inside a
// kernel from biased bytes (x + 128).
#pragma once

#include <Halide.h>

namespace trit {

inline constexpr int kTripleEntries = 32;

// table(e, t, j, kb, mb): entry e of columns 3 j .. 3 j + 2 of K block kb for token t of granule
// mb.
struct TripleTables {
  Halide::Func table{"table"}, sum{"sum"};
  Halide::Var e{"e"}, t{"t"}, j{"j"}, kb{"kb"}, mb{"mb"};
  Halide::RVar pair, half;

  // act: (column, token, K block, token granule) as BiasedRowsForm lays it out. Reads one byte
  // behind the last column of a triple, which counts nothing.
  explicit TripleTables(const Halide::ImageParam& act);

  // Computes `groups` tables of `tokens` tokens at the given loop, into scratch.
  void Schedule(const Halide::Func& consumer, const Halide::Var& at, int tokens, int groups);
  static int ScratchBytes(int tokens, int groups) {
    return 2 * kTripleEntries * tokens * groups + 128;
  }
};

}  // namespace trit
