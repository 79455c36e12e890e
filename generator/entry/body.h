/* A matmul stage in C instead of Halide: for vectors whose length is known only when the code runs
 * (Halide 14 has none), and for instructions whose operands are small matrices. A file
 * families/<family>/bodies/<kind>.c includes this header and TRIT_MICRO_OPS, and defines TritBody;
 * it is compiled to bitcode once for each target that has targets/<key>/micro_ops_<kind>.h, linked
 * where the Halide stage would be, and optimised with the descriptor constant: loops over d's
 * fields and `if`s on them cost nothing. */
#ifndef TRIT_GENERATOR_ENTRY_BODY_H_
#define TRIT_GENERATOR_ENTRY_BODY_H_

#include <stddef.h>
#include <stdint.h>

#include "generator/entry/descriptor.h"
#include "generator/entry/stage.h"

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

int trit_stage(void* user_context, const void* w, const void* w_fixed, const void* act,
               const void* act_fixed, void* y, int32_t k_blocks, int32_t granules,
               int32_t act_blocks, int32_t token_granules, int32_t w_k, int32_t w_granule,
               int32_t act_k, int32_t act_granule, int32_t y_token, int32_t w_near, int32_t w_far,
               int32_t w_far_k) {
  const trit_matmul_desc* d = &trit_matmul;
  const ptrdiff_t wb = d->w.type_bits / 8, ab = d->act.type_bits / 8;
  (void)user_context, (void)act_blocks, (void)w_near, (void)w_far, (void)w_far_k;
  const TritSlice s = {(const uint8_t*)w,
                       (const uint8_t*)w_fixed,
                       (const uint8_t*)act,
                       (const uint8_t*)act_fixed,
                       (int32_t*)y,
                       k_blocks,
                       granules,
                       token_granules,
                       w_k * wb,
                       w_granule * wb,
                       act_k * ab,
                       act_granule * ab,
                       y_token};
  TritBody(d, &s);
  return 0;
}

#endif
