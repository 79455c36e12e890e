/* runtime/abi/trit_kernel.h -- the only header a kernel library and the runtime share.
 *
 * C11 and C++17. It includes nothing but <stddef.h> and <stdint.h>.
 *
 * Names used in every file: M = tokens, N = output features, K = input features.
 *
 *     y[m, n] = sum over k of a[m, k] * w[n, k]        a int8, w in {-1, 0, +1}, y int32, exact
 *
 * A kernel library is a set of constant tables behind one exported symbol. Reading the tables runs
 * no instruction beyond the architecture's baseline, so a library can be opened, listed and refused
 * on a CPU that cannot run its kernels. Scales, activation functions and norms are the runtime's.
 *
 * Padding. Every edge is padded before a kernel sees it, so kernels have no tails:
 *   N to layout.n_granule   zero rows at the end of the packed weights, unused columns of y
 *   K to layout.k_multiple  zero weights and zero activations
 *   M to kernel.m_granule   zero tokens at the end of the prepared activations, unused rows of y
 * Pad(x, g) below means x rounded up to a multiple of g. Kernels may write the unused rows and
 * columns of y inside those padded extents, and nothing outside them.
 *
 * Versions. abi_major is refused when different. Within a major version structs only grow at their
 * end: struct_bytes says how much of a struct its writer knew, and a reader never reads beyond it.
 * A reader steps through arrays of structs by the element's own struct_bytes (the first element's
 * value holds for the whole array).
 */
#ifndef TRIT_KERNEL_H_
#define TRIT_KERNEL_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TRIT_ABI_MAJOR 1u
#define TRIT_ABI_MINOR 0u
#define TRIT_LIBRARY_SYMBOL "trit_library_v1"

/* What the functions of a library return. A library never returns anything else. */
enum {
  TRIT_OK = 0,
  TRIT_BAD_SHAPE = 1,   /* a size is zero, negative, not a multiple, or overflows */
  TRIT_BAD_POINTER = 2, /* null, or not aligned as the table says */
  TRIT_BAD_TRIT = 3,    /* pack: a weight outside {-1, 0, +1} */
  TRIT_BAD_STRUCT = 4   /* struct_bytes smaller than this library needs */
};

/* How a weight matrix lies in memory. All functions are pure, safe on any CPU of the architecture,
 * and callable from several threads on disjoint row ranges at once.
 *
 * packed_bytes  size of the whole packed tensor; 0 for a shape that is refused.
 * pack          rows [n_begin, n_end) of the canonical matrix into their place in the packed
 *               tensor. `trits` points to row n_begin, column 0; rows are trits_stride bytes apart.
 *               n_begin is a multiple of n_granule; n_end is one as well or equals n. Writes every
 *               byte of the packed granules it covers, padding included. Other bytes are untouched.
 * unpack        the inverse, for the same ranges, writing only real rows and columns.
 */
typedef struct trit_layout {
  uint32_t struct_bytes;
  uint32_t align; /* of the packed tensor in bytes, a power of two */
  const char* id; /* e.g. "lut3w-r96-k28.v1"; a changed meaning is a new id */
  int32_t n_granule;
  int32_t k_multiple;
  uint64_t (*packed_bytes)(int32_t n, int32_t k);
  int32_t (*pack)(const int8_t* trits, ptrdiff_t trits_stride, int32_t n, int32_t k,
                  int32_t n_begin, int32_t n_end, void* packed);
  int32_t (*unpack)(const void* packed, int32_t n, int32_t k, int32_t n_begin, int32_t n_end,
                    int8_t* trits, ptrdiff_t trits_stride);
} trit_layout;

/* int8 activation rows -> the form a kernel reads (rows with sums, lookup tables ...).
 * Prepared once for M tokens and shared by every matmul with the same input (q/k/v, gate/up).
 * Preparation is cut into `parts` pieces that threads may do in any order, each exactly once.
 *
 * prepared_bytes  size of the prepared block for m tokens; m and k already padded. 0 = refused.
 * parts           number of independent pieces, at least 1.
 * prepare         pieces [part_begin, part_end). `rows` is token 0; tokens are row_stride bytes
 *                 apart and k bytes long (padding zero). Uses the library's instructions.
 */
typedef struct trit_act_form {
  uint32_t struct_bytes;
  uint32_t align;
  const char* id; /* forms with one id are interchangeable, also between libraries */
  uint64_t (*prepared_bytes)(int32_t m, int32_t k);
  int32_t (*parts)(int32_t m, int32_t k);
  int32_t (*prepare)(const int8_t* rows, ptrdiff_t row_stride, int32_t m, int32_t k,
                     int32_t part_begin, int32_t part_end, void* prepared);
} trit_act_form;

struct trit_kernel;

/* One call: tokens [m_begin, m_end) times rows [n_begin, n_end) of the weights. */
typedef struct trit_matmul_args {
  uint32_t struct_bytes;
  int32_t m; /* all tokens of the prepared block, a multiple of m_granule */
  int32_t n; /* all rows of the packed tensor, a multiple of n_granule */
  int32_t k; /* a multiple of k_multiple */
  int32_t m_begin, m_end; /* multiples of m_granule */
  int32_t n_begin, n_end; /* multiples of n_granule */
  const struct trit_kernel* kernel; /* the entry being called */
  const void* act;                  /* the whole prepared block */
  const void* w;                    /* the whole packed tensor */
  int32_t* y;                       /* token 0, row 0 of the whole output, aligned to 64 bytes */
  ptrdiff_t y_stride;               /* int32 elements between tokens, a multiple of 16 */
  void* scratch;                    /* kernel.scratch_bytes, aligned to 64, private to this call */
} trit_matmul_args;

/* Writes exact int32 sums to y[m, n] of its slice and does nothing else: no allocation, no lock,
 * no thread, no log, no global. The result does not depend on how a matmul is cut into slices. */
typedef int32_t (*trit_matmul_fn)(const trit_matmul_args* args);

typedef struct trit_kernel {
  uint32_t struct_bytes;
  uint32_t flags;        /* 0; reserved */
  const char* name;      /* for people, derived from the candidate; nothing parses it */
  const char* family;    /* e.g. "lut3w" */
  const char* candidate; /* canonical candidate text; "" for a hand-written kernel */
  const trit_layout* layout;
  const trit_act_form* act_form;
  int32_t m_granule; /* tokens come in multiples of this */
  int32_t m_min;     /* the real token counts it was made for: m_min .. m_max */
  int32_t m_max;
  int32_t k_max; /* largest padded K it is exact for */
  uint64_t scratch_bytes;
  trit_matmul_fn run;
} trit_kernel;

/* A tuned decision. Rows are read in order, the first match wins; 0 in n, k or threads = any.
 * For every layout that a kernel of the library uses there is a last row that matches any n, any
 * k, any thread count, for each m from 1 to 2^31-1: a gap is impossible, and a library with one is
 * refused. The layout of the first row that matches m = 1 is the layout its tensor gets. */
typedef struct trit_choice {
  uint32_t struct_bytes;
  int32_t n, k;
  int32_t m_min, m_max; /* inclusive; m_max = 2147483647 = no limit */
  int32_t threads;
  uint32_t kernel;   /* index into trit_library.kernels */
  int32_t n_per_task; /* slice sizes the tuner measured; 0 = one slice a thread */
  int32_t m_per_task;
  uint32_t reserved; /* 0 */
} trit_choice;

typedef struct trit_library {
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t struct_bytes;
  uint32_t kernel_count;
  uint32_t choice_count;
  uint32_t reserved;           /* 0 */
  const char* arch;            /* "x86-64" or "aarch64" */
  const char* target;          /* a folder's name in targets/ */
  const char* const* features; /* CPU features needed, names of targets/, null-terminated */
  const char* build_id;        /* generator, Halide and LLVM versions */
  const trit_kernel* kernels;
  const trit_choice* choices;
} trit_library;

/* The one exported symbol (statically linked sets name theirs trit_library_v1_<target>). */
typedef const trit_library* (*trit_library_fn)(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRIT_KERNEL_H_ */
