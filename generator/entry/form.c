/* trit_act_form's functions over one blocked form: see runtime/abi/trit_kernel.h for the contract,
 * generator/blocks.h for the memory. */
#include <stddef.h>
#include <stdint.h>

#include "generator/entry/block_functions.h"
#include "runtime/abi/trit_kernel.h"

extern const trit_blocks_desc trit_blocks;

/* One token granule is cut along k into pieces of about this many source bytes, so that threads can
 * share the tables of a single token; not when the granule carries something for the whole of k. */
#define PART_BYTES 256

static int Fits(int32_t m, int32_t k) {
  const trit_blocks_desc* d = &trit_blocks;
  if (m <= 0 || k <= 0 || m % d->granule != 0 || k % d->k_step != 0) return 0;
  const uint64_t blocks = (uint64_t)(m / d->granule) * (uint64_t)(k / d->k_step);
  return blocks <= INT32_MAX / (uint64_t)d->block_bytes;
}

static int32_t BlocksPerPart(int32_t blocks) {
  const trit_blocks_desc* d = &trit_blocks;
  if (d->fixed_count) return blocks;
  const int32_t per = PART_BYTES / (d->k_step * d->granule);
  return per < 1 ? 1 : per;
}

static int32_t PartsOfGranule(int32_t blocks) {
  const int32_t per = BlocksPerPart(blocks);
  return (blocks + per - 1) / per;
}

uint64_t trit_form_prepared_bytes(int32_t m, int32_t k) {
  const trit_blocks_desc* d = &trit_blocks;
  if (!Fits(m, k)) return 0;
  return (uint64_t)(m / d->granule) *
         ((uint64_t)(k / d->k_step) * (uint64_t)d->block_bytes + (uint64_t)d->fixed_bytes);
}

int32_t trit_form_parts(int32_t m, int32_t k) {
  const trit_blocks_desc* d = &trit_blocks;
  if (!Fits(m, k)) return 1;
  return (m / d->granule) * PartsOfGranule(k / d->k_step);
}

int32_t trit_form_prepare(const int8_t* rows, ptrdiff_t row_stride, int32_t m, int32_t k,
                          int32_t part_begin, int32_t part_end, void* prepared) {
  const trit_blocks_desc* d = &trit_blocks;
  if (!Fits(m, k)) return TRIT_BAD_SHAPE;
  const int32_t granules = m / d->granule, blocks = k / d->k_step;
  const int32_t per = BlocksPerPart(blocks), parts = PartsOfGranule(blocks);
  if (part_begin < 0 || part_begin > part_end || part_end > granules * parts) {
    return TRIT_BAD_SHAPE;
  }
  if (row_stride < k) return TRIT_BAD_SHAPE;
  if (!rows || !prepared || (uintptr_t)prepared % (uintptr_t)d->align != 0) return TRIT_BAD_POINTER;
  uint8_t* base = (uint8_t*)prepared;
  uint8_t* all_fixed = base + (size_t)granules * (size_t)blocks * (size_t)d->block_bytes;
  for (int32_t part = part_begin; part < part_end; ++part) {
    const int32_t g = part / parts, first = (part % parts) * per;
    const int32_t end = blocks - first < per ? blocks : first + per;
    uint8_t* fixed = all_fixed + (size_t)g * (size_t)d->fixed_bytes;
    for (int32_t i = 0; i < d->fixed_bytes; ++i) fixed[i] = 0;
    for (int32_t b = first; b < end; ++b) {
      const size_t index = d->k_outer ? (size_t)b * (size_t)granules + (size_t)g
                                      : (size_t)g * (size_t)blocks + (size_t)b;
      trit_prepare_block(d,
                         rows + (ptrdiff_t)g * d->granule * row_stride + (ptrdiff_t)b * d->k_step,
                         row_stride, base + index * (size_t)d->block_bytes, fixed);
    }
  }
  return TRIT_OK;
}
