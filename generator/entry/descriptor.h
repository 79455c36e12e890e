/* What the C entries know of a kernel: constants, patched into their bitcode when a kernel is
 * emitted (the bytes of these structs become the initialiser of trit_blocks / trit_matmul) and
 * folded away by the optimiser. C11 and C++; the same layout on every 64-bit little-endian machine.
 */
#ifndef TRIT_GENERATOR_ENTRY_DESCRIPTOR_H_
#define TRIT_GENERATOR_ENTRY_DESCRIPTOR_H_

#include <stdint.h>

#define TRIT_MAX_INNER 6
#define TRIT_MAX_OPTIONS 8

/* A blocked tensor (see generator/blocks.h, which is where it is explained). */
typedef struct trit_blocks_desc {
  uint32_t type_code, type_bits; /* of an element, as halide_type_t */
  int32_t inner_rank;
  int32_t inner_extent[TRIT_MAX_INNER];
  int32_t granule;
  int32_t k_step;
  int32_t k_outer;
  int32_t halves;
  int32_t align;
  int32_t block_bytes;
  uint32_t fixed_code, fixed_bits;
  int32_t fixed_count; /* elements a granule carries beside its blocks */
  int32_t fixed_bytes; /* of them, padded to `align` */
  int32_t option[TRIT_MAX_OPTIONS];
} trit_blocks_desc;

typedef struct trit_matmul_desc {
  trit_blocks_desc w;
  trit_blocks_desc act;
  int32_t y_rank; /* of the rows inside a granule */
  int32_t y_extent[TRIT_MAX_INNER];
  int32_t y_stride[TRIT_MAX_INNER]; /* in rows */
  int32_t m_granule;
  int32_t m_block; /* tokens handed to one call of the stage; 0 = the whole slice */
  int32_t n_block; /* granules of one call; 0 = the whole slice */
  int32_t k_max;
  int32_t scratch_bytes;
  int32_t option[TRIT_MAX_OPTIONS]; /* of a stage in C (entry/body.h) */
} trit_matmul_desc;

#endif
