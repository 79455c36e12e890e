/* The row order of byte layouts that are looked up and then unpacked to 16 bits: unpack
 * instructions take bytes 0..7 of every 16 to one result and bytes 8..15 to another, so byte
 * `place` of a granule belongs to row TritRowOf(place, unit), unit = the vector's bytes. For 16:
 * places and rows are the same; for 64:
 *
 *   place  0..7   8..15   16..23   24..31   32..39   40..47   48..55   56..63
 *   row    0..7   32..39  8..15    40..47   16..23   48..55   24..31   56..63
 */
#ifndef TRIT_GENERATOR_FAMILIES_COMMON_PLACES_H_
#define TRIT_GENERATOR_FAMILIES_COMMON_PLACES_H_

#include <stdint.h>

static inline int32_t TritRowOf(int32_t place, int32_t unit) {
  const int32_t in = place % unit;
  return place - in + in / 8 % 2 * (unit / 2) + in / 16 * 8 + in % 8;
}

#endif
