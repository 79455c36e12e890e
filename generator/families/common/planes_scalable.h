/* What lookups in byte planes share with scalable vectors: a K block's sums in int16, two vectors
 * of them for a vector of bytes, then added to y. A family's body includes planes_lookup.h, defines
 *
 *   kStepColumns, kStepBytes, kStepTables    columns of a step, bytes a place has in it, its tables
 *   Step     one step of one vector of places: adds to sums[0] .. of both halves of the vector
 *   Start    int32 that the sums of rows `row` .. begin with
 *   WAYS()   where Step has several ways: which of 1 to 3 this vector length takes; `way` is a
 *            constant where Step is compiled
 *
 * and then includes this. */
#ifndef TRIT_GENERATOR_FAMILIES_COMMON_PLANES_SCALABLE_H_
#define TRIT_GENERATOR_FAMILIES_COMMON_PLANES_SCALABLE_H_

#ifndef WAYS
#define WAYS() 1
#endif

/* Two vectors of int16 sums, rows `row` .. of the granule, into y. */
static inline void AddToY(const trit_matmul_desc* d, const TritSlice* s, int32_t* y, int first,
                          int32_t m, int32_t g, int32_t row, svint16_t low, svint16_t high,
                          int shift) {
  const int32_t rows = d->w.granule, lanes = (int32_t)svcntw();
  const svint32_t parts0 = svunpklo_s32(low), parts1 = svunpkhi_s32(low),
                  parts2 = svunpklo_s32(high), parts3 = svunpkhi_s32(high);
#define ADD(i)                                                                      \
  {                                                                                 \
    const int32_t at = row + i * lanes;                                             \
    const svbool_t p = svwhilelt_b32_s32(at, rows);                                 \
    const svint32_t from = first ? Start(d, s, p, m, g, at) : svld1_s32(p, y + at); \
    svst1_s32(p, y + at, svadd_s32_x(p, from, svlsl_n_s32_x(p, parts##i, shift)));  \
  }
  ADD(0) ADD(1) ADD(2) ADD(3)
#undef ADD
}

/* `vectors` (1 or 2) vectors of places from `row` on share the tables they look up in. */
static inline __attribute__((always_inline)) void Tile(const trit_matmul_desc* d,
                                                       const TritSlice* s, int32_t b, int32_t g,
                                                       int32_t m, int32_t row, const int vectors,
                                                       const int way) {
  const int32_t rows = d->w.granule, places = (int32_t)svcntb();
  const svbool_t p0 = svwhilelt_b8_s32(row, rows), p1 = svwhilelt_b8_s32(row + places, rows);
  const uint8_t* w = s->w + b * s->w_block + g * s->w_granule + row;
  const uint8_t* tables = s->act + b * s->act_block + m * s->act_granule;
  const svint16_t zero = svdup_n_s16(0);
  svint16_t l0 = zero, h0 = zero, l1 = zero, h1 = zero;     /* sums that count once */
  svint16_t tl0 = zero, th0 = zero, tl1 = zero, th1 = zero; /* twice, where Step has such */
#pragma clang loop unroll(disable)
  for (int32_t i = 0; i < d->w.k_step / kStepColumns; ++i) {
    Step(p0, w, rows, tables, &l0, &h0, &tl0, &th0, way);
    if (vectors > 1) Step(p1, w + places, rows, tables, &l1, &h1, &tl1, &th1, way);
    w += kStepBytes * rows;
    tables += 32 * kStepTables;
  }
  int32_t* y = s->y + m * s->y_token + g * rows;
  AddToY(d, s, y, b == 0, m, g, row, l0, h0, 0);
  if (kTwice) AddToY(d, s, y, 0, m, g, row, tl0, th0, 1);
  if (vectors > 1) {
    AddToY(d, s, y, b == 0, m, g, row + places, l1, h1, 0);
    if (kTwice) AddToY(d, s, y, 0, m, g, row + places, tl1, th1, 1);
  }
}

static inline __attribute__((always_inline)) void Slice(const trit_matmul_desc* d,
                                                        const TritSlice* s, const int way) {
  const int32_t rows = d->w.granule, places = (int32_t)svcntb();
  for (int32_t b = 0; b < s->k_blocks; ++b) {
    for (int32_t g = 0; g < s->granules; ++g) {
      for (int32_t m = 0; m < s->token_granules; ++m) {
        if (rows > places) {
          for (int32_t row = 0; row < rows; row += 2 * places) Tile(d, s, b, g, m, row, 2, way);
        } else {
          Tile(d, s, b, g, m, 0, 1, way);
        }
      }
    }
  }
}

static inline void TritBody(const trit_matmul_desc* d, const TritSlice* s) {
  switch (WAYS()) {
    case 1:
      Slice(d, s, 1);
      break;
    case 2:
      Slice(d, s, 2);
      break;
    default:
      Slice(d, s, 3);
  }
}

#endif
