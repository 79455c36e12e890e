/* The stage that an entry calls: Halide's code, or C (entry/body.h). It sees a slice of the
 * tensors as pointers and these numbers; what a layout makes constant it knows as constants. The
 * order of arguments stands here and in backend/lower.cpp. */
#ifndef TRIT_GENERATOR_ENTRY_STAGE_H_
#define TRIT_GENERATOR_ENTRY_STAGE_H_

#include <stdint.h>

/* Distances are in elements of the tensor: of w and act in whole blocks, of y in whole sixteens. */
int trit_stage(void* user_context, const void* w, const void* w_fixed, const void* act,
               const void* act_fixed, void* y, /* where the slice begins */
               int32_t k_blocks, int32_t granules, int32_t act_blocks, int32_t token_granules,
               /* from a k block, a granule, a token to the next */
               int32_t w_k, int32_t w_granule, int32_t act_k, int32_t act_granule, int32_t y_token,
               /* A layout of halves: granules of the slice in the first; where the second's k block
                * 0 begins, seen from the first's; its w_k. */
               int32_t w_near, int32_t w_far, int32_t w_far_k);

#endif
