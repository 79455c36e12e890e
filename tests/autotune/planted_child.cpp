// A measuring child with planted kernels: "planted <what> work=<w>", plain C++ behind the ABI.
// What: right, sigill, sigsegv, hang, wrong (always), wrong-long (only for a long K), refuse (does
// not compile), exit. `work` repeats the product, so that speeds are known in advance.
#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <sstream>

#include "autotune/measure/child.h"
#include "targets/base/error.h"

namespace trit {
namespace {

uint64_t PackedBytes(int32_t n, int32_t k) {
  return n < 1 || k < 1 ? 0 : static_cast<uint64_t>(n) * static_cast<uint64_t>(k);
}
int32_t Pack(const int8_t* trits, ptrdiff_t stride, int32_t, int32_t k, int32_t n_begin,
             int32_t n_end, void* packed) {
  for (int32_t n = n_begin; n < n_end; ++n) {
    std::memcpy(static_cast<int8_t*>(packed) + int64_t{n} * k, trits + (n - n_begin) * stride,
                static_cast<size_t>(k));
  }
  return TRIT_OK;
}
int32_t Unpack(const void* packed, int32_t, int32_t k, int32_t n_begin, int32_t n_end,
               int8_t* trits, ptrdiff_t stride) {
  for (int32_t n = n_begin; n < n_end; ++n) {
    std::memcpy(trits + (n - n_begin) * stride, static_cast<const int8_t*>(packed) + int64_t{n} * k,
                static_cast<size_t>(k));
  }
  return TRIT_OK;
}
uint64_t PreparedBytes(int32_t m, int32_t k) {
  return PackedBytes(m, k);
}
int32_t Parts(int32_t, int32_t) {
  return 1;
}
int32_t Prepare(const int8_t* rows, ptrdiff_t stride, int32_t m, int32_t k, int32_t, int32_t,
                void* out) {
  for (int32_t i = 0; i < m; ++i) {
    std::memcpy(static_cast<int8_t*>(out) + int64_t{i} * k, rows + i * stride,
                static_cast<size_t>(k));
  }
  return TRIT_OK;
}

std::string what;
int work = 1;

// A sanitizer's handler would end the process with an exit code.
void Die(int number) {
  signal(number, SIG_DFL);
  raise(number);
}

int32_t Run(const trit_matmul_args* a) {
  if (what == "sigill") Die(SIGILL);
  if (what == "sigsegv") Die(SIGSEGV);
  if (what == "exit") _exit(7);
  if (what == "hang") {
    for (;;) asm volatile("");
  }
  for (int repeat = 0; repeat < work; ++repeat) {
    for (int32_t m = a->m_begin; m < a->m_end; ++m) {
      for (int32_t n = a->n_begin; n < a->n_end; ++n) {
        const int8_t* x = static_cast<const int8_t*>(a->act) + int64_t{m} * a->k;
        const int8_t* w = static_cast<const int8_t*>(a->w) + int64_t{n} * a->k;
        int32_t sum = 0;
        for (int32_t k = 0; k < a->k; ++k) sum += x[k] * w[k];
        if (what == "wrong") ++sum;
        if (what == "wrong-long" && a->k > 4000) sum ^= 1;
        a->y[m * a->y_stride + n] = sum;
      }
    }
    asm volatile("" ::: "memory");  // the repeats are the point
  }
  return TRIT_OK;
}

const trit_layout kLayouts[] = {
    {sizeof(trit_layout), 64, "plain.v1", 1, 1, PackedBytes, Pack, Unpack},
    {sizeof(trit_layout), 64, "other.v1", 1, 1, PackedBytes, Pack, Unpack},
};
const trit_act_form kForm = {sizeof(trit_act_form), 64, "plain.v1", PreparedBytes, Parts, Prepare};
trit_kernel kernel = {sizeof(trit_kernel), 0,      "planted", "planted", "",
                      &kLayouts[0],        &kForm, 1,         1,         INT32_MAX,
                      INT32_MAX,           0,      Run};

LoadedKernel Load(const std::string& candidate) {
  std::istringstream words(candidate);
  std::string family, setting;
  words >> family >> what;
  if (what == "refuse") throw Error("planted: this one does not compile");
  while (words >> setting) {
    if (setting.starts_with("work=")) work = std::stoi(setting.substr(5));
    if (setting == "layout=other") kernel.layout = &kLayouts[1];
  }
  return {{std::shared_ptr<void>(), &kernel}};
}

}  // namespace
}  // namespace trit

int main() {
  return trit::ServeMeasurements(trit::Load, STDIN_FILENO, STDOUT_FILENO);
}
