/* A kernel library written by hand: plain C, one layout, one activation form, two kernels. It needs
 * nothing but runtime/abi/trit_kernel.h and is what runtime/abi/README.md explains line by line.
 *
 *   cc -std=c11 -O2 -fPIC -shared -I <repository> example_library.c -o example.so
 */
#include "runtime/abi/trit_kernel.h"

#include <limits.h>

/* Layout "example-n4k8.v1": 2-bit codes t + 1, four rows side by side.
 *
 * N is padded to 4, K to 8. A group of four rows is K/8 blocks of 8 bytes, one behind the other:
 *
 *   byte 0 of a block        row 0, columns 0..3     bits 1-0 column 0, 3-2 column 1, 5-4, 7-6
 *   byte 1                   row 0, columns 4..7
 *   bytes 2-3, 4-5, 6-7      rows 1, 2, 3
 *
 *   offset of row n, column k:   (n/4 * K/8 + k/8) * 8 + (n%4) * 2 + (k%8)/4,  bits 2*(k%4)
 */
enum { kRows = 4, kColumns = 8, kBlockBytes = 8 };

/* 128 * K must stay below 2^31 for any activations. */
enum { kMaxK = 16777208 };

static int64_t RoundUp(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

static uint64_t PackedBytes(int32_t n, int32_t k) {
  if (n <= 0 || k <= 0) return 0;
  return (uint64_t)RoundUp(n, kRows) * (uint64_t)RoundUp(k, kColumns) / 4;
}

/* Rows [begin, end) must be whole groups, or end with the matrix. */
static int32_t CheckRange(int32_t n, int32_t k, int32_t begin, int32_t end) {
  if (n <= 0 || k <= 0 || begin < 0 || begin >= end || end > n) return TRIT_BAD_SHAPE;
  if (begin % kRows != 0 || (end % kRows != 0 && end != n)) return TRIT_BAD_SHAPE;
  return TRIT_OK;
}

static int32_t Pack(const int8_t* trits, ptrdiff_t stride, int32_t n, int32_t k, int32_t begin,
                    int32_t end, void* packed) {
  const int32_t status = CheckRange(n, k, begin, end);
  if (status != TRIT_OK) return status;
  if (trits == NULL || packed == NULL) return TRIT_BAD_POINTER;
  const int64_t k_padded = RoundUp(k, kColumns), n_end = RoundUp(end, kRows);
  uint8_t* out = (uint8_t*)packed + (int64_t)begin * k_padded / 4;
  for (int64_t group = begin; group < n_end; group += kRows) {
    for (int64_t column = 0; column < k_padded; column += kColumns) {
      for (int64_t row = group; row < group + kRows; ++row) {
        for (int64_t half = 0; half < 2; ++half) {
          unsigned byte = 0;
          for (int64_t i = 0; i < 4; ++i) {
            const int64_t at = column + half * 4 + i;
            int t = 0; /* padding */
            if (row < end && at < k) t = trits[(row - begin) * stride + at];
            if (t < -1 || t > 1) return TRIT_BAD_TRIT;
            byte |= (unsigned)(t + 1) << (2 * i);
          }
          *out++ = (uint8_t)byte;
        }
      }
    }
  }
  return TRIT_OK;
}

static int Code(const uint8_t* packed, int64_t k_padded, int64_t row, int64_t column) {
  const int64_t block = row / kRows * (k_padded / kColumns) + column / kColumns;
  const uint8_t byte = packed[block * kBlockBytes + row % kRows * 2 + column % kColumns / 4];
  return byte >> (2 * (column % 4)) & 3;
}

static int32_t Unpack(const void* packed, int32_t n, int32_t k, int32_t begin, int32_t end,
                      int8_t* trits, ptrdiff_t stride) {
  const int32_t status = CheckRange(n, k, begin, end);
  if (status != TRIT_OK) return status;
  if (trits == NULL || packed == NULL) return TRIT_BAD_POINTER;
  const int64_t k_padded = RoundUp(k, kColumns);
  for (int64_t row = begin; row < end; ++row) {
    for (int64_t column = 0; column < k; ++column) {
      trits[(row - begin) * stride + column] =
          (int8_t)(Code(packed, k_padded, row, column) - 1);
    }
  }
  return TRIT_OK;
}

/* Activation form "example-rows.v1": a token is K int8 values and then their sum as an int32, which
 * turns codes back into trits: sum of a * (code - 1) = sum of a * code - sum of a. */
static int64_t TokenBytes(int32_t k) { return RoundUp(k, 4) + 4; }

static uint64_t PreparedBytes(int32_t m, int32_t k) {
  if (m <= 0 || k <= 0) return 0;
  return (uint64_t)m * (uint64_t)TokenBytes(k);
}

static int32_t Parts(int32_t m, int32_t k) { return m <= 0 || k <= 0 ? 1 : m; }

static int32_t Prepare(const int8_t* rows, ptrdiff_t stride, int32_t m, int32_t k, int32_t begin,
                       int32_t end, void* prepared) {
  if (m <= 0 || k <= 0 || begin < 0 || begin > end || end > m) return TRIT_BAD_SHAPE;
  if (rows == NULL || prepared == NULL) return TRIT_BAD_POINTER;
  for (int32_t token = begin; token < end; ++token) {
    int8_t* out = (int8_t*)prepared + token * TokenBytes(k);
    int32_t sum = 0;
    for (int32_t i = 0; i < k; ++i) {
      out[i] = rows[token * stride + i];
      sum += out[i];
    }
    *(int32_t*)(void*)(out + RoundUp(k, 4)) = sum;
  }
  return TRIT_OK;
}

static int32_t Run(const trit_matmul_args* args) {
  if (args->struct_bytes < sizeof(trit_matmul_args)) return TRIT_BAD_STRUCT;
  for (int32_t token = args->m_begin; token < args->m_end; ++token) {
    const int8_t* a = (const int8_t*)args->act + token * TokenBytes(args->k);
    const int32_t sum = *(const int32_t*)(const void*)(a + RoundUp(args->k, 4));
    for (int32_t row = args->n_begin; row < args->n_end; ++row) {
      int32_t dot = 0;
      for (int32_t i = 0; i < args->k; ++i) dot += a[i] * Code(args->w, args->k, row, i);
      args->y[token * args->y_stride + row] = dot - sum;
    }
  }
  return TRIT_OK;
}

static const trit_layout kLayout = {
    .struct_bytes = sizeof(trit_layout),
    .align = 8,
    .id = "example-n4k8.v1",
    .n_granule = kRows,
    .k_multiple = kColumns,
    .packed_bytes = PackedBytes,
    .pack = Pack,
    .unpack = Unpack,
};

static const trit_act_form kForm = {
    .struct_bytes = sizeof(trit_act_form),
    .align = 4,
    .id = "example-rows.v1",
    .prepared_bytes = PreparedBytes,
    .parts = Parts,
    .prepare = Prepare,
};

/* The same code twice, to show how choices tell kernels apart: one for a single token, one for
 * more, which come in pairs. dot < 2 * 128 * K needs half of kMaxK. */
static const trit_kernel kKernels[] = {
    {
        .struct_bytes = sizeof(trit_kernel),
        .name = "example-one-token",
        .family = "example",
        .candidate = "",
        .layout = &kLayout,
        .act_form = &kForm,
        .m_granule = 1,
        .m_min = 1,
        .m_max = 1,
        .k_max = kMaxK / 2,
        .run = Run,
    },
    {
        .struct_bytes = sizeof(trit_kernel),
        .name = "example-pairs-of-tokens",
        .family = "example",
        .candidate = "",
        .layout = &kLayout,
        .act_form = &kForm,
        .m_granule = 2,
        .m_min = 2,
        .m_max = INT32_MAX,
        .k_max = kMaxK / 2,
        .run = Run,
    },
};

/* First match wins. The last two rows together take any shape and every m: no gap. */
static const trit_choice kChoices[] = {
    {.struct_bytes = sizeof(trit_choice), .n = 64, .k = 64, .m_min = 8, .m_max = 16, .kernel = 1,
     .n_per_task = 16, .m_per_task = 4},
    {.struct_bytes = sizeof(trit_choice), .m_min = 1, .m_max = 1, .kernel = 0},
    {.struct_bytes = sizeof(trit_choice), .m_min = 2, .m_max = INT32_MAX, .kernel = 1},
};

#if defined(__x86_64__)
static const char* const kFeatures[] = {"sse2", NULL};
#define ARCH "x86-64"
#define TARGET "x86_64"
#elif defined(__aarch64__)
static const char* const kFeatures[] = {"neon", NULL};
#define ARCH "aarch64"
#define TARGET "neon"
#endif

static const trit_library kLibrary = {
    .abi_major = TRIT_ABI_MAJOR,
    .abi_minor = TRIT_ABI_MINOR,
    .struct_bytes = sizeof(trit_library),
    .kernel_count = sizeof(kKernels) / sizeof(kKernels[0]),
    .choice_count = sizeof(kChoices) / sizeof(kChoices[0]),
    .arch = ARCH,
    .target = TARGET,
    .features = kFeatures,
    .build_id = "written by hand",
    .kernels = kKernels,
    .choices = kChoices,
};

const trit_library* trit_library_v1(void);
const trit_library* trit_library_v1(void) { return &kLibrary; }
