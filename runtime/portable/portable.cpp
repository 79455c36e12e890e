#include "runtime/portable/portable.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "targets/features.h"
#include "targets/target.h"

namespace trit {
namespace {

// 128 * kMaxK < 2^31: the largest K whose sum cannot leave int32, whatever the activations are.
constexpr int32_t kMaxK = 16'777'215;

// ---- layout trits-n1k1.v1 ------------------------------------------------------------------
// Row n, column k at byte n * k_count + k: the canonical matrix itself, no padding.
//
//   byte   0        1        ...  K-1        K        ...
//         w[0,0]   w[0,1]        w[0,K-1]   w[1,0]

uint64_t PackedBytes(int32_t n, int32_t k) {
  return n <= 0 || k <= 0 ? 0 : static_cast<uint64_t>(n) * static_cast<uint64_t>(k);
}

bool BadRange(int32_t n, int32_t k, int32_t begin, int32_t end) {
  return n <= 0 || k <= 0 || begin < 0 || begin >= end || end > n;
}

int32_t Pack(const int8_t* trits, ptrdiff_t stride, int32_t n, int32_t k, int32_t begin,
             int32_t end, void* packed) {
  if (BadRange(n, k, begin, end)) return TRIT_BAD_SHAPE;
  if (trits == nullptr || packed == nullptr) return TRIT_BAD_POINTER;
  for (int32_t row = begin; row < end; ++row) {
    const int8_t* from = trits + (row - begin) * stride;
    for (int32_t i = 0; i < k; ++i) {
      if (from[i] < -1 || from[i] > 1) return TRIT_BAD_TRIT;
    }
    std::memcpy(static_cast<int8_t*>(packed) + static_cast<size_t>(row) * k, from, k);
  }
  return TRIT_OK;
}

int32_t Unpack(const void* packed, int32_t n, int32_t k, int32_t begin, int32_t end, int8_t* trits,
               ptrdiff_t stride) {
  if (BadRange(n, k, begin, end)) return TRIT_BAD_SHAPE;
  if (trits == nullptr || packed == nullptr) return TRIT_BAD_POINTER;
  for (int32_t row = begin; row < end; ++row) {
    std::memcpy(trits + (row - begin) * stride,
                static_cast<const int8_t*>(packed) + static_cast<size_t>(row) * k, k);
  }
  return TRIT_OK;
}

// ---- activation form plain-rows.v1 ---------------------------------------------------------
// Token m, column k at byte m * K + k.

uint64_t PreparedBytes(int32_t m, int32_t k) {
  return PackedBytes(m, k);
}

int32_t Parts(int32_t m, int32_t k) {
  return m <= 0 || k <= 0 ? 1 : m;
}

int32_t Prepare(const int8_t* rows, ptrdiff_t stride, int32_t m, int32_t k, int32_t begin,
                int32_t end, void* prepared) {
  if (BadRange(m, k, begin, end)) return TRIT_BAD_SHAPE;
  if (rows == nullptr || prepared == nullptr) return TRIT_BAD_POINTER;
  for (int32_t t = begin; t < end; ++t) {
    std::memcpy(static_cast<int8_t*>(prepared) + static_cast<size_t>(t) * k, rows + t * stride, k);
  }
  return TRIT_OK;
}

// ---- kernels --------------------------------------------------------------------------------

// int16 products summed pairwise into int32 is what compilers make of this on SSE2 and NEON.
int32_t Dot(const int8_t* a, const int8_t* w, int32_t k) {
  int32_t sum = 0;
  for (int32_t i = 0; i < k; ++i) {
    sum += static_cast<int16_t>(static_cast<int16_t>(a[i]) * static_cast<int16_t>(w[i]));
  }
  return sum;
}

int32_t CheckArgs(const trit_matmul_args* args) {
  if (args == nullptr) return TRIT_BAD_POINTER;
  if (args->struct_bytes < sizeof(trit_matmul_args)) return TRIT_BAD_STRUCT;
  if (args->kernel == nullptr || args->act == nullptr || args->w == nullptr || args->y == nullptr) {
    return TRIT_BAD_POINTER;
  }
  if (args->m <= 0 || args->n <= 0 || args->k <= 0 || args->k > kMaxK || args->m_begin < 0 ||
      args->m_end > args->m || args->n_begin < 0 || args->n_end > args->n ||
      args->m_begin > args->m_end || args->n_begin > args->n_end) {
    return TRIT_BAD_SHAPE;
  }
  return TRIT_OK;
}

void Multiply(const trit_matmul_args& args, const int8_t* weights, int32_t n_begin, int32_t n_end) {
  const size_t k = args.k;
  const int8_t* act = static_cast<const int8_t*>(args.act);
  for (int32_t n = n_begin; n < n_end; ++n) {
    const int8_t* w = weights + (n - n_begin) * k;
    for (int32_t m = args.m_begin; m < args.m_end; ++m) {
      args.y[m * args.y_stride + n] = Dot(act + m * k, w, args.k);
    }
  }
}

int32_t RunTrits(const trit_matmul_args* args) {
  if (const int32_t status = CheckArgs(args); status != TRIT_OK) return status;
  const int8_t* w = static_cast<const int8_t*>(args->w);
  Multiply(*args, w + static_cast<size_t>(args->n_begin) * args->k, args->n_begin, args->n_end);
  return TRIT_OK;
}

int32_t RunAnyLayout(const trit_matmul_args* args) {
  if (const int32_t status = CheckArgs(args); status != TRIT_OK) return status;
  if (args->scratch == nullptr) return TRIT_BAD_POINTER;
  const trit_layout& layout = *args->kernel->layout;
  int8_t* rows = static_cast<int8_t*>(args->scratch);
  for (int32_t n = args->n_begin; n < args->n_end; n += layout.n_granule) {
    const int32_t end = n + layout.n_granule;
    const int32_t status = layout.unpack(args->w, args->n, args->k, n, end, rows, args->k);
    if (status != TRIT_OK) return status;
    Multiply(*args, rows, n, end);
  }
  return TRIT_OK;
}

constexpr trit_layout kLayout = {
    .struct_bytes = sizeof(trit_layout),
    .align = 64,
    .id = "trits-n1k1.v1",
    .n_granule = 1,
    .k_multiple = 1,
    .packed_bytes = PackedBytes,
    .pack = Pack,
    .unpack = Unpack,
};

constexpr trit_act_form kRows = {
    .struct_bytes = sizeof(trit_act_form),
    .align = 64,
    .id = "plain-rows.v1",
    .prepared_bytes = PreparedBytes,
    .parts = Parts,
    .prepare = Prepare,
};

constexpr trit_kernel kKernel = {
    .struct_bytes = sizeof(trit_kernel),
    .flags = 0,
    .name = "portable-trits",
    .family = "portable",
    .candidate = "",
    .layout = &kLayout,
    .act_form = &kRows,
    .m_granule = 1,
    .m_min = 1,
    .m_max = std::numeric_limits<int32_t>::max(),
    .k_max = kMaxK,
    .scratch_bytes = 0,
    .run = RunTrits,
};

constexpr trit_choice kAny = {
    .struct_bytes = sizeof(trit_choice),
    .n = 0,
    .k = 0,
    .m_min = 1,
    .m_max = std::numeric_limits<int32_t>::max(),
    .threads = 0,
    .kernel = 0,
    .n_per_task = 0,
    .m_per_task = 0,
    .reserved = 0,
};

}  // namespace

const trit_library* PortableLibrary() {
  // It needs no more than the architecture's baseline, whatever that is called in targets/.
  static const std::vector<std::string> names = SplitFeatures(BaselineTarget().features);
  static const std::vector<const char*> features = [] {
    std::vector<const char*> list;
    for (const std::string& name : names) list.push_back(name.c_str());
    list.push_back(nullptr);
    return list;
  }();
  static const trit_library library = {
      .abi_major = TRIT_ABI_MAJOR,
      .abi_minor = TRIT_ABI_MINOR,
      .struct_bytes = sizeof(trit_library),
      .kernel_count = 1,
      .choice_count = 1,
      .reserved = 0,
      .arch = BaselineTarget().arch,
      .target = BaselineTarget().key,
      .features = features.data(),
      .build_id = "portable C++",
      .kernels = &kKernel,
      .choices = &kAny,
  };
  return &library;
}

trit_kernel PortableKernel(const trit_layout& layout, int32_t k_padded) {
  trit_kernel kernel = kKernel;
  kernel.name = "portable-any-layout";
  kernel.layout = &layout;
  kernel.k_max = std::min(k_padded, kMaxK);
  kernel.scratch_bytes = static_cast<uint64_t>(layout.n_granule) * k_padded;
  kernel.run = RunAnyLayout;
  return kernel;
}

}  // namespace trit
