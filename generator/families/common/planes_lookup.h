/* One lookup in 16 entries of int16 in two byte planes, for any vector length: the planes are
 * replicated in every 16 bytes of a register, so indices 0..15 read the same entries in all. */
#ifndef TRIT_GENERATOR_FAMILIES_COMMON_PLANES_LOOKUP_H_
#define TRIT_GENERATOR_FAMILIES_COMMON_PLANES_LOOKUP_H_

#include "generator/entry/body.h"
#include TRIT_MICRO_OPS

static inline svuint8_t Entry(const uint8_t* plane, svuint8_t index) {
  return svtbl_u8(svld1rq_u8(svptrue_b8(), plane), index);
}

/* Entries of the low and high byte join to int16: of the first half of the vector, of the second.
 */
static inline void AddJoined(svint16_t* low, svint16_t* high, svuint8_t a, svuint8_t b) {
  const svbool_t all = svptrue_b8();
  *low = svadd_s16_x(all, *low, svreinterpret_s16_u8(svzip1_u8(a, b)));
  *high = svadd_s16_x(all, *high, svreinterpret_s16_u8(svzip2_u8(a, b)));
}

static inline void AddEntry(svint16_t* low, svint16_t* high, const uint8_t* table,
                            svuint8_t index) {
  AddJoined(low, high, Entry(table, index), Entry(table + 16, index));
}

static inline svuint8_t LowNibble(svuint8_t v) {
  return svand_n_u8_x(svptrue_b8(), v, 15);
}
static inline svuint8_t HighNibble(svuint8_t v) {
  return svlsr_n_u8_x(svptrue_b8(), v, 4);
}

#endif
