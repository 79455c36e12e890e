/* lut3 with scalable vectors: four bytes of indices, a byte of signs; w_fixed counts the
 * complements. */
#include "generator/families/common/planes_lookup.h"

enum { kStepColumns = 24, kStepBytes = 5, kStepTables = 8, kTwice = 0 };

static inline void Step(svbool_t p, const uint8_t* w, int32_t rows, const uint8_t* tables,
                        svint16_t* low, svint16_t* high, svint16_t* low2, svint16_t* high2,
                        const int way) {
  const svuint8_t signs = svld1_u8(p, w + 4 * rows);
  (void)low2, (void)high2, (void)way;
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; ++i) {
    const svuint8_t byte = svld1_u8(p, w + i / 2 * rows);
    const svuint8_t index = i % 2 ? HighNibble(byte) : LowNibble(byte);
    const svuint8_t sign = i == 7 ? signs : svlsl_n_u8_x(svptrue_b8(), signs, 7 - i);
    AddJoined(low, high, TritComplement(Entry(tables + 32 * i, index), sign),
              TritComplement(Entry(tables + 32 * i + 16, index), sign));
  }
}

static inline svint32_t Start(const trit_matmul_desc* d, const TritSlice* s, svbool_t p, int32_t m,
                              int32_t g, int32_t row) {
  (void)m;
  return svld1_s32(p, (const int32_t*)(s->w_fixed + (size_t)g * (size_t)d->w.fixed_bytes) + row);
}

#include "generator/families/common/planes_scalable.h"
