// One token's lookups in tables of 128 entries without unpacking them: each plane's bytes are
// summed as bytes, and a row's int16 is put together once a K block. For 64 bytes of weights that
// is two lookups, with the sign three operations more, and three additions, where unpacking and
// adding both planes takes four.
//
// An entry v of groups of up to five values is -640..639 (a group and its complement ~v alike), of
// four -512..512: its low half v & 127, its high half 64 + (v >> 7) (the form's seven low bits).
// - Low halves: two steps' add up to at most 254, a byte. As a 16-bit word those are even + 256
// odd,
//   which is added to one sum modulo 65536, and the odd ones, shifted down, to another: 51 * 127.
//   Even rows are the first minus 256 times the second.
// - High halves: v >> 7 is -5..4, so 25 of them started at 128 stay in 3..228 (31 of four's -4..4
// in
//   4..252): even steps add to one byte, odd steps to another, 64 a step taken out beforehand.
// Modulo 65536 low + 128 * high is the sum itself, which is an int16 up to 51 groups of five and 63
// of four. The sums' two starts of 128 are 128 * 256 = 32768: words start at -32768.
#pragma once

#include "generator/families/common/planes.h"

namespace trit {

bool HasByteSums(const Target& target);

// plan.value and plan.start are not asked: a byte of weights is an index in its low seven bits, and
// where has_sign, its top bit complements the entry and y starts at the row's fixed count.
KernelParts BuildByteSums(const PlanesPlan& plan, bool has_sign);

}  // namespace trit
