/* bits with scalable vectors: one table for both bit planes; those of the high bits count twice. */
#include "generator/families/common/planes_lookup.h"

enum { kStepColumns = 4, kStepBytes = 1, kStepTables = 1, kTwice = 1 };

static inline void Step(svbool_t p, const uint8_t* w, int32_t rows, const uint8_t* tables,
                        svint16_t* low, svint16_t* high, svint16_t* low2, svint16_t* high2,
                        const int way) {
  const svuint8_t byte = svld1_u8(p, w);
  (void)rows, (void)way;
  AddEntry(low, high, tables, LowNibble(byte));
  AddEntry(low2, high2, tables, HighNibble(byte));
}

static inline svint32_t Start(const trit_matmul_desc* d, const TritSlice* s, svbool_t p, int32_t m,
                              int32_t g, int32_t row) {
  (void)p, (void)g, (void)row;
  return svdup_n_s32(-*(const int32_t*)(s->act_fixed + (size_t)m * (size_t)d->act.fixed_bytes));
}

#include "generator/families/common/planes_scalable.h"
