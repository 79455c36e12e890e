/* mad2 with scalable vectors: four planes of codes in a vector of bytes, four columns each. */
#include "generator/entry/body.h"
#include TRIT_MICRO_OPS

enum { kStepColumns = 16, kStepBytes = 4 };

#define LOAD_X(t) \
  const svint8_t x##t = t < tokens ? svld1rq_s8(all, x + t * d->act.k_step) : svdup_n_s8(0);
#define DOT(v, t, j) \
  if (v < vectors && t < tokens) sum##v##t = TRIT_DOT4_LANE(sum##v##t, code, x##t, j);
#define CODES(v, j)                                                                \
  {                                                                                \
    const svuint8_t shifted = j ? svlsr_n_u8_x(all, bytes, j ? 2 * j : 1) : bytes; \
    const svuint8_t code = j < 3 ? svand_n_u8_x(all, shifted, 3) : shifted;        \
    DOT(v, 0, j) DOT(v, 1, j) DOT(v, 2, j) DOT(v, 3, j)                            \
  }
/* A vector's planes one after the other: with a plane of all vectors at a time LLVM keeps four
 * loaded vectors beside the sums and spills. */
#define VECTOR(v)                                                   \
  if (v < vectors) {                                                \
    const svuint8_t bytes = svld1_u8(inside##v, w + 4 * lanes * v); \
    CODES(v, 0) CODES(v, 1) CODES(v, 2) CODES(v, 3)                 \
  }
#define STEP() LOAD_X(0) LOAD_X(1) LOAD_X(2) LOAD_X(3) VECTOR(0) VECTOR(1) VECTOR(2) VECTOR(3)

#include "generator/families/common/dots_scalable.h"
