/* A matmul stage in C instead of Halide: for vectors whose length is known only when the code runs
 * (Halide 14 has none), and for instructions whose operands are small matrices. A file
 * families/<family>/bodies/<kind>.c includes this header and TRIT_MICRO_OPS, and defines TritBody;
 * it is compiled to bitcode once for each target that has targets/<key>/micro_ops_<kind>.h, linked
 * where the Halide stage would be, and optimised with the descriptor constant: loops over d's
 * fields and `if`s on them cost nothing. */
#ifndef TRIT_GENERATOR_ENTRY_BODY_H_
#define TRIT_GENERATOR_ENTRY_BODY_H_

#include <HalideRuntime.h>
#include <stddef.h>
#include <stdint.h>

#include "generator/entry/descriptor.h"

extern const trit_matmul_desc trit_matmul;

/* One call: the slice alone. Steps are in bytes, y's in elements; the k blocks of weights and of
 * activations have the same columns (families with bodies make it so). */
typedef struct {
  const uint8_t *w, *w_fixed, *act, *act_fixed;
  int32_t* y;
  int32_t k_blocks, granules, token_granules;
  ptrdiff_t w_block, w_granule, act_block, act_granule, y_token;
} TritSlice;

static inline void TritBody(const trit_matmul_desc* d, const TritSlice* s);

int trit_stage(void* user_context, struct halide_buffer_t* w, struct halide_buffer_t* w_fixed,
               struct halide_buffer_t* act, struct halide_buffer_t* act_fixed,
               struct halide_buffer_t* y) {
  const trit_matmul_desc* d = &trit_matmul;
  const int32_t wr = d->w.inner_rank, ar = d->act.inner_rank;
  const ptrdiff_t wb = d->w.type_bits / 8, ab = d->act.type_bits / 8;
  (void)user_context;
  const TritSlice s = {w->host,
                       w_fixed->host,
                       act->host,
                       act_fixed->host,
                       (int32_t*)y->host,
                       w->dim[wr].extent,
                       w->dim[wr + 1].extent,
                       act->dim[ar + 1].extent,
                       w->dim[wr].stride * wb,
                       w->dim[wr + 1].stride * wb,
                       act->dim[ar].stride * ab,
                       act->dim[ar + 1].stride * ab,
                       y->dim[d->y_rank + 1].stride};
  TritBody(d, &s);
  return 0;
}

#endif
