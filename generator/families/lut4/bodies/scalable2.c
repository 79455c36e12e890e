/* lut4 with scalable vectors: 81 entries of a plane are two registers of 64 bytes, or more pairs of
 * shorter ones: one pair from 384 bits on, two at 256, three at 128. An index below a pair's first
 * entry wraps to one beyond it (at most 96 of 256 are taken off), where a lookup gives 0. */
#include "generator/families/common/planes_lookup.h"

enum { kStepColumns = 4, kStepBytes = 1, kStepTables = 8, kTwice = 0 };
enum { kEntries = 81, kPlane = 128 };

static inline svuint8_t LookupPair(const uint8_t* plane, int32_t first, svuint8_t index) {
  const int32_t bytes = (int32_t)svcntb();
  const svuint8_t low = svld1_u8(svwhilelt_b8_s32(first, kPlane), plane + first);
  const svuint8_t high = svld1_u8(svwhilelt_b8_s32(first + bytes, kPlane), plane + first + bytes);
  return TritLookup2(low, high, svsub_n_u8_x(svptrue_b8(), index, (uint8_t)first));
}

static inline svuint8_t LookupPlane(const uint8_t* plane, svuint8_t index, const int pairs) {
  const svbool_t all = svptrue_b8();
  const int32_t pair = 2 * (int32_t)svcntb();
  svuint8_t out = LookupPair(plane, 0, index);
  if (pairs > 1) out = svorr_u8_x(all, out, LookupPair(plane, pair, index));
  if (pairs > 2) out = svorr_u8_x(all, out, LookupPair(plane, 2 * pair, index));
  return out;
}

#define WAYS() ((kEntries + 2 * (int32_t)svcntb() - 1) / (2 * (int32_t)svcntb()))

static inline void Step(svbool_t p, const uint8_t* w, int32_t rows, const uint8_t* tables,
                        svint16_t* low, svint16_t* high, svint16_t* low2, svint16_t* high2,
                        const int way) {
  const svuint8_t index = svld1_u8(p, w);
  (void)rows, (void)low2, (void)high2;
  AddJoined(low, high, LookupPlane(tables, index, way), LookupPlane(tables + kPlane, index, way));
}

static inline svint32_t Start(const trit_matmul_desc* d, const TritSlice* s, svbool_t p, int32_t m,
                              int32_t g, int32_t row) {
  (void)d, (void)s, (void)p, (void)m, (void)g, (void)row;
  return svdup_n_s32(0);
}

#include "generator/families/common/planes_scalable.h"
