/* trit_layout's functions over one blocked layout: see runtime/abi/trit_kernel.h for the contract,
 * generator/blocks.h for the memory. */
#include <stddef.h>
#include <stdint.h>

#include "generator/entry/block_functions.h"
#include "runtime/abi/trit_kernel.h"

extern const trit_blocks_desc trit_blocks;

#define MAX_TILE (64 * 1024)

static int32_t PaddedCount(int32_t x, int32_t step) {
  return x / step + (x % step != 0);
}

/* A kernel addresses the tensor's elements with 32 bits. */
static int Fits(int32_t n, int32_t k) {
  const trit_blocks_desc* d = &trit_blocks;
  if (n <= 0 || k <= 0) return 0;
  const uint64_t granules = (uint64_t)PaddedCount(n, d->granule);
  const uint64_t blocks = (uint64_t)PaddedCount(k, d->k_step);
  if (granules > INT32_MAX / (uint64_t)d->granule) return 0;
  if (blocks > INT32_MAX / (uint64_t)d->k_step) return 0;
  return granules * blocks <= INT32_MAX / (uint64_t)d->block_bytes;
}

static size_t BlockOffset(int32_t g, int32_t b, int32_t granules, int32_t blocks) {
  const trit_blocks_desc* d = &trit_blocks;
  size_t index;
  if (d->halves) {
    const int32_t cut = granules - granules / 2;
    const size_t first = g < cut ? 0 : (size_t)cut; /* of g's half */
    const size_t many = g < cut ? (size_t)cut : (size_t)(granules - cut);
    index = first * (size_t)blocks + (size_t)b * many + ((size_t)g - first);
  } else {
    index = d->k_outer ? (size_t)b * (size_t)granules + (size_t)g
                       : (size_t)g * (size_t)blocks + (size_t)b;
  }
  return index * (size_t)d->block_bytes;
}

static size_t FixedOffset(int32_t g, int32_t granules, int32_t blocks) {
  const trit_blocks_desc* d = &trit_blocks;
  return (size_t)granules * (size_t)blocks * (size_t)d->block_bytes +
         (size_t)g * (size_t)d->fixed_bytes;
}

uint64_t trit_layout_packed_bytes(int32_t n, int32_t k) {
  const trit_blocks_desc* d = &trit_blocks;
  if (!Fits(n, k)) return 0;
  const int32_t granules = PaddedCount(n, d->granule), blocks = PaddedCount(k, d->k_step);
  return FixedOffset(granules, granules, blocks);
}

static int32_t CheckRange(const void* packed, const void* trits, ptrdiff_t stride, int32_t n,
                          int32_t k, int32_t n_begin, int32_t n_end) {
  const trit_blocks_desc* d = &trit_blocks;
  if (!Fits(n, k)) return TRIT_BAD_SHAPE;
  if (n_begin < 0 || n_end > n || n_begin >= n_end || n_begin % d->granule != 0 ||
      (n_end % d->granule != 0 && n_end != n)) {
    return TRIT_BAD_SHAPE;
  }
  if (stride < k) return TRIT_BAD_SHAPE;
  if (!packed || !trits || (uintptr_t)packed % (uintptr_t)d->align != 0) return TRIT_BAD_POINTER;
  return TRIT_OK;
}

int32_t trit_layout_pack(const int8_t* trits, ptrdiff_t trits_stride, int32_t n, int32_t k,
                         int32_t n_begin, int32_t n_end, void* packed) {
  const trit_blocks_desc* d = &trit_blocks;
  const int32_t code = CheckRange(packed, trits, trits_stride, n, k, n_begin, n_end);
  if (code != TRIT_OK) return code;
  const int32_t granules = PaddedCount(n, d->granule), blocks = PaddedCount(k, d->k_step);
  int8_t tile[MAX_TILE];
  for (int32_t row = n_begin; row < n_end; row += d->granule) {
    const int32_t g = row / d->granule;
    const int32_t rows = n_end - row < d->granule ? n_end - row : d->granule;
    uint8_t* fixed = (uint8_t*)packed + FixedOffset(g, granules, blocks);
    for (int32_t i = 0; i < d->fixed_bytes; ++i) fixed[i] = 0;
    for (int32_t b = 0; b < blocks; ++b) {
      const int32_t k0 = b * d->k_step;
      const int32_t columns = k - k0 < d->k_step ? k - k0 : d->k_step;
      uint8_t bad = 0;
      for (int32_t r = 0; r < d->granule; ++r) {
        int8_t* to = tile + (size_t)r * (size_t)d->k_step;
        if (r >= rows || columns < d->k_step) {
          for (int32_t c = 0; c < d->k_step; ++c) to[c] = 0;
        }
        if (r >= rows) continue;
        const int8_t* from = trits + (ptrdiff_t)(row - n_begin + r) * trits_stride + k0;
        for (int32_t c = 0; c < columns; ++c) {
          bad |= (uint8_t)((uint8_t)(from[c] + 1) > 2);
          to[c] = from[c];
        }
      }
      if (bad) return TRIT_BAD_TRIT;
      trit_pack_block(d, tile, (uint8_t*)packed + BlockOffset(g, b, granules, blocks), fixed);
    }
  }
  return TRIT_OK;
}

int32_t trit_layout_unpack(const void* packed, int32_t n, int32_t k, int32_t n_begin, int32_t n_end,
                           int8_t* trits, ptrdiff_t trits_stride) {
  const trit_blocks_desc* d = &trit_blocks;
  const int32_t code = CheckRange(packed, trits, trits_stride, n, k, n_begin, n_end);
  if (code != TRIT_OK) return code;
  const int32_t granules = PaddedCount(n, d->granule), blocks = PaddedCount(k, d->k_step);
  int8_t tile[MAX_TILE];
  for (int32_t row = n_begin; row < n_end; row += d->granule) {
    const int32_t g = row / d->granule;
    const int32_t rows = n_end - row < d->granule ? n_end - row : d->granule;
    for (int32_t b = 0; b < blocks; ++b) {
      const int32_t k0 = b * d->k_step;
      const int32_t columns = k - k0 < d->k_step ? k - k0 : d->k_step;
      trit_unpack_block(d, (const uint8_t*)packed + BlockOffset(g, b, granules, blocks), tile);
      for (int32_t r = 0; r < rows; ++r) {
        int8_t* to = trits + (ptrdiff_t)(row - n_begin + r) * trits_stride + k0;
        const int8_t* from = tile + (size_t)r * (size_t)d->k_step;
        for (int32_t c = 0; c < columns; ++c) to[c] = from[c];
      }
    }
  }
  return TRIT_OK;
}
