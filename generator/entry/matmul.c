/* The thin entry of a kernel: checks the call and hands its slice to the stage, in pieces that stay
 * in cache. Everything here is folded into the stage. */
#include <stddef.h>
#include <stdint.h>

#include "generator/entry/descriptor.h"
#include "generator/entry/stage.h"
#include "runtime/abi/trit_kernel.h"

extern const trit_matmul_desc trit_matmul;

/* Memory the stage wants on a heap comes from args->scratch, a stack of blocks. Halide frees each
 * where it was used last, not always the newest first: a block is given back when all above it are
 * free. */
typedef struct Block {
  struct Block* below;
  uint64_t freed;
  uint8_t padding[48];
} Block;

typedef struct {
  uint8_t* next;
  uint8_t* end;
  Block* top;
} Scratch;

void* halide_malloc(void* user_context, size_t bytes) {
  Scratch* s = (Scratch*)user_context;
  Block* block = (Block*)s->next;
  const size_t padded = ((bytes + 63) & ~(size_t)63) + sizeof(Block);
  if (padded > (size_t)(s->end - s->next))
    __builtin_trap(); /* the family's scratch_bytes is too small */
  block->below = s->top;
  block->freed = 0;
  s->top = block;
  s->next += padded;
  return block + 1;
}

void halide_free(void* user_context, void* at) {
  Scratch* s = (Scratch*)user_context;
  ((Block*)at - 1)->freed = 1;
  while (s->top && s->top->freed) {
    s->next = (uint8_t*)s->top;
    s->top = s->top->below;
  }
}

/* `blocks` of a tensor of `granules` granules: what a stage is told of them. */
typedef struct {
  const uint8_t *blocks, *fixed;
  int32_t k, granule, near, far, far_k;
} Slice;

static inline Slice Describe(const trit_blocks_desc* d, const void* base, int32_t granules,
                             int32_t k_blocks, int32_t first) {
  const size_t step = (size_t)d->block_bytes * (d->k_outer ? 1 : (size_t)k_blocks);
  const uint8_t* blocks = (const uint8_t*)base + (size_t)first * step;
  const uint8_t* all_fixed =
      (const uint8_t*)base + (size_t)granules * (size_t)k_blocks * (size_t)d->block_bytes;
  const uint8_t* fixed = all_fixed + (size_t)first * (size_t)d->fixed_bytes;
  const int32_t elements = d->block_bytes / (int32_t)(d->type_bits / 8);
  if (d->halves) {
    const int32_t half = granules - granules / 2, here = half - first;
    const Slice s = {blocks,
                     fixed,
                     elements * half,
                     elements,
                     here > 0 ? here : 0,
                     elements * half * (k_blocks - 1),
                     elements * (granules - half)};
    return s;
  }
  const Slice s = {blocks,
                   fixed,
                   elements * (d->k_outer ? granules : 1),
                   elements * (d->k_outer ? 1 : k_blocks),
                   0,
                   0,
                   0};
  return s;
}

static inline int Aligned(const void* p, uintptr_t align) {
  return p && (uintptr_t)p % align == 0;
}

static inline int Fits(const trit_blocks_desc* d, int32_t granules, int32_t k_blocks) {
  return (uint64_t)granules * (uint64_t)k_blocks <= INT32_MAX / (uint64_t)d->block_bytes;
}

int32_t trit_matmul_run(const trit_matmul_args* a) {
  const trit_matmul_desc* d = &trit_matmul;
  if (!a) return TRIT_BAD_POINTER;
  if (a->struct_bytes < offsetof(trit_matmul_args, scratch) + sizeof(a->scratch)) {
    return TRIT_BAD_STRUCT;
  }
  const int32_t m_granule = d->m_granule, n_granule = d->w.granule;
  if (a->k <= 0 || a->k % d->w.k_step != 0 || a->k > d->k_max) return TRIT_BAD_SHAPE;
  if (a->m_begin < 0 || a->m_end > a->m || a->m_begin >= a->m_end || a->m % m_granule != 0 ||
      a->m_begin % m_granule != 0 || a->m_end % m_granule != 0) {
    return TRIT_BAD_SHAPE;
  }
  if (a->n_begin < 0 || a->n_end > a->n || a->n_begin >= a->n_end || a->n % n_granule != 0 ||
      a->n_begin % n_granule != 0 || a->n_end % n_granule != 0) {
    return TRIT_BAD_SHAPE;
  }
  /* A slice may have a block of sums of its own, with y where the whole output would begin: the
   * stride need hold the slice only. */
  if (a->y_stride % 16 != 0 || a->y_stride < a->n_end - a->n_begin) return TRIT_BAD_SHAPE;
  const int32_t tokens = a->m_end - a->m_begin;
  if (a->y_stride > INT32_MAX / tokens) return TRIT_BAD_SHAPE;
  const int32_t k_blocks = a->k / d->w.k_step, act_blocks = a->k / d->act.k_step;
  if (!Fits(&d->w, a->n / n_granule, k_blocks) ||
      !Fits(&d->act, a->m / d->act.granule, act_blocks)) {
    return TRIT_BAD_SHAPE;
  }
  if (!Aligned(a->w, (uintptr_t)d->w.align) || !Aligned(a->act, (uintptr_t)d->act.align) ||
      !Aligned(a->y, 64)) {
    return TRIT_BAD_POINTER;
  }
  if (d->scratch_bytes > 0 && !Aligned(a->scratch, 64)) return TRIT_BAD_POINTER;

  const int32_t m_step = d->m_block ? d->m_block : tokens;
  const int32_t n_step = d->n_block ? d->n_block * n_granule : a->n_end - a->n_begin;
  for (int32_t n = a->n_begin; n < a->n_end; n += n_step) {
    const int32_t rows = a->n_end - n < n_step ? a->n_end - n : n_step;
    for (int32_t m = a->m_begin; m < a->m_end; m += m_step) {
      const int32_t part = a->m_end - m < m_step ? a->m_end - m : m_step;
      const Slice w = Describe(&d->w, a->w, a->n / n_granule, k_blocks, n / n_granule);
      const Slice act =
          Describe(&d->act, a->act, a->m / d->act.granule, act_blocks, m / d->act.granule);
      Scratch scratch = {(uint8_t*)a->scratch, (uint8_t*)a->scratch + d->scratch_bytes, 0};
      trit_stage(&scratch, w.blocks, w.fixed, act.blocks, act.fixed, a->y + m * a->y_stride + n,
                 k_blocks, rows / n_granule, act_blocks, part / d->act.granule, w.k, w.granule,
                 act.k, act.granule, (int32_t)a->y_stride, w.near, w.far, w.far_k);
    }
  }
  return TRIT_OK;
}
