/* The C functions beside a layout or an activation form. They are compiled to LLVM bitcode at build
 * time (clang, freestanding, C11: no library call but memcpy/memset), linked behind blocks.c or
 * forms.c, and optimised with `d` constant: write plain loops over d's fields, they become
 * constants. A file for weights defines the first two, a file for activations the third.
 */
#ifndef TRIT_GENERATOR_ENTRY_BLOCK_FUNCTIONS_H_
#define TRIT_GENERATOR_ENTRY_BLOCK_FUNCTIONS_H_

#include <stddef.h>
#include <stdint.h>

#include "generator/entry/descriptor.h"

/* tile: granule rows of k_step trits, densely, row major, padding already 0, every value checked.
 * block: block_bytes to write, all of them. fixed: fixed_count elements, zero before the first k
 * block of the granule, then handed on: add to it. Runs on any CPU of the architecture. */
void trit_pack_block(const trit_blocks_desc* d, const int8_t* tile, void* block, void* fixed);
void trit_unpack_block(const trit_blocks_desc* d, const void* block, int8_t* tile);

/* rows: `granule` tokens, row_stride bytes apart, k_step values of this k block each. block and
 * fixed as above. Uses the target's instructions: the optimiser may vectorise it. */
void trit_prepare_block(const trit_blocks_desc* d, const int8_t* rows, ptrdiff_t row_stride,
                        void* block, void* fixed);

#endif
