/* What dot products with scalable vectors share. option[0] of a kernel: tokens a granule (1 to 4),
 * option[1]: most vectors of rows at once (4, 2 or 1). A granule's rows are taken in tiles of
 * `vectors` vectors; the last may be partly or wholly outside the granule, which its predicates
 * say. A family's body defines
 *
 *   kStepColumns, kStepBytes   columns of a step, bytes a row has in it
 *   STEP()                     one step: adds to sum<v><t> for v < vectors and t < tokens; a row's
 *                              first four bytes lie at w + 4 * lanes * v where inside<v> says so,
 * the next 4 * rows further, tokens at x + t * d->act.k_step
 *
 * and then includes this. */
#ifndef TRIT_GENERATOR_FAMILIES_COMMON_DOTS_SCALABLE_H_
#define TRIT_GENERATOR_FAMILIES_COMMON_DOTS_SCALABLE_H_

typedef struct {
  const uint8_t* w;
  const int8_t* x;
  const int32_t* sums;
  int32_t* y;
} Place;

#define EACH_VECTOR(DO) DO(0) DO(1) DO(2) DO(3)
#define EACH_SUM(DO) \
  DO(0, 0)           \
  DO(0, 1)           \
  DO(0, 2)           \
  DO(0, 3)           \
  DO(1, 0)           \
  DO(1, 1) DO(1, 2) DO(1, 3) DO(2, 0) DO(2, 1) DO(2, 2) DO(2, 3) DO(3, 0) DO(3, 1) DO(3, 2) DO(3, 3)

/* Rows [row, row + vectors * svcntw()) of a granule for `tokens` tokens over all of K. */
static inline __attribute__((always_inline)) void Tile(const trit_matmul_desc* d,
                                                       const TritSlice* s, Place at, int32_t row,
                                                       const int32_t vectors,
                                                       const int32_t tokens) {
  const int32_t rows = d->w.granule, lanes = (int32_t)svcntw();
  const svbool_t all = svptrue_b8();
#define DECLARE(v, t) svint32_t sum##v##t = svdup_n_s32(0);
  EACH_SUM(DECLARE)
#define PREDICATE(v)                                                            \
  const svbool_t inside##v = svwhilelt_b8_s32(4 * (row + v * lanes), 4 * rows); \
  const svbool_t words##v = svwhilelt_b32_s32(row + v * lanes, rows);
  EACH_VECTOR(PREDICATE)
  for (int32_t b = 0; b < s->k_blocks; ++b) {
    const uint8_t* w = at.w + b * s->w_block + 4 * row;
    const int8_t* x = at.x + b * s->act_block;
#pragma clang loop unroll(disable)
    for (int32_t q = 0; q < d->w.k_step / kStepColumns; ++q) {
      STEP();
      w += kStepBytes * rows;
      x += kStepColumns;
    }
  }
#define STORE(v, t)                                              \
  if (v < vectors && t < tokens) {                               \
    svst1_s32(words##v, at.y + t * s->y_token + row + v * lanes, \
              svsub_n_s32_x(words##v, sum##v##t, at.sums[t]));   \
  }
  EACH_SUM(STORE)
}

static inline __attribute__((always_inline)) void Rows(const trit_matmul_desc* d,
                                                       const TritSlice* s, Place at,
                                                       const int32_t vectors) {
  for (int32_t row = 0; row < d->w.granule; row += vectors * (int32_t)svcntw()) {
    Tile(d, s, at, row, vectors, d->option[0]);
  }
}

static inline void TritBody(const trit_matmul_desc* d, const TritSlice* s) {
  const int32_t tokens = d->option[0], most = d->option[1];
  const int32_t needed = (d->w.granule + (int32_t)svcntw() - 1) / (int32_t)svcntw();
  for (int32_t g = 0; g < s->granules; ++g) {
    for (int32_t m = 0; m < s->token_granules; ++m) {
      const Place at = {s->w + g * s->w_granule, (const int8_t*)s->act + m * s->act_granule,
                        (const int32_t*)(s->act_fixed + (size_t)m * (size_t)d->act.fixed_bytes),
                        s->y + m * tokens * s->y_token + g * d->w.granule};
      /* Long vectors hold a granule in few: tiles of vectors without rows would be work for
       * nothing. */
      if (most >= 4 && needed > 2) {
        Rows(d, s, at, 4);
      } else if (most >= 2 && needed > 1) {
        Rows(d, s, at, 2);
      } else {
        Rows(d, s, at, 1);
      }
    }
  }
}

#endif
