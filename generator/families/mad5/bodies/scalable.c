/* mad5 with scalable vectors: a digit is the upper half of 3 * byte, the next byte the lower one. A
 * step is four times twenty columns: their activations, four bytes for each digit, are five
 * registers' worth of four places each. */
#include "generator/entry/body.h"
#include TRIT_MICRO_OPS

enum { kStepColumns = 80, kStepBytes = 16 };

#define LOAD_X(t, n) \
  if (t < tokens) x##t = svld1rq_s8(all, x + t * d->act.k_step + 16 * (n));
#define DOT(v, t, n) \
  if (v < vectors && t < tokens) sum##v##t = TRIT_DOT4_LANE(sum##v##t, digit, x##t, (n) % 4);
/* Digit n % 5 of the step's n / 5-th bytes. */
#define DIGIT_OF(v, n)                                                                      \
  if (v < vectors) {                                                                        \
    const svuint8_t digit = svmulh_n_u8_x(all, bytes_##v, 3);                               \
    DOT(v, 0, n)                                                                            \
    DOT(v, 1, n)                                                                            \
    DOT(v, 2, n) DOT(v, 3, n) if ((n) % 5 < 4) bytes_##v = svmul_n_u8_x(all, bytes_##v, 3); \
  }
#define DIGIT(n)                                                                \
  if ((n) % 4 == 0) {                                                           \
    LOAD_X(0, (n) / 4) LOAD_X(1, (n) / 4) LOAD_X(2, (n) / 4) LOAD_X(3, (n) / 4) \
  }                                                                             \
  DIGIT_OF(0, n) DIGIT_OF(1, n) DIGIT_OF(2, n) DIGIT_OF(3, n)
#define LOAD_W(v, i)    \
  svuint8_t bytes_##v = \
      v < vectors ? svld1_u8(inside##v, w + 4 * lanes * v + 4 * rows * (i)) : svdup_n_u8(0);
#define TWENTY(i)                                                                             \
  {                                                                                           \
    LOAD_W(0, i)                                                                              \
    LOAD_W(1, i)                                                                              \
    LOAD_W(2, i) LOAD_W(3, i) DIGIT(5 * i) DIGIT(5 * i + 1) DIGIT(5 * i + 2) DIGIT(5 * i + 3) \
        DIGIT(5 * i + 4)                                                                      \
  }
#define STEP()                                            \
  svint8_t x0 = svdup_n_s8(0), x1 = x0, x2 = x0, x3 = x0; \
  TWENTY(0) TWENTY(1) TWENTY(2) TWENTY(3)

#include "generator/families/common/dots_scalable.h"
