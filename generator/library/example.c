/* Multiplies a ternary matrix with a few tokens through a generated kernel library:
 *   cc -Iinclude example/example.c lib/libtrit_kernels_*.a -o demo && ./demo */
#include <stdio.h>
#include <stdlib.h>

#include "trit_kernels.h"

enum { N = 1000, K = 700, M = 3 };

static int32_t Pad(int32_t x, int32_t step) { return (x + step - 1) / step * step; }
static void* Room(uint64_t bytes) { return aligned_alloc(4096, (bytes / 4096 + 1) * 4096); }

int main(void) {
  const trit_library* lib = trit_library_v1_TARGET();
  const trit_choice* c = lib->choices; /* the first row that matches N, K and M */
  while ((c->n && c->n != N) || (c->k && c->k != K) || c->threads || c->m_min > M || c->m_max < M) ++c;
  const trit_kernel* f = &lib->kernels[c->kernel];
  const int32_t n = Pad(N, f->layout->n_granule), k = Pad(K, f->layout->k_multiple);
  const int32_t m = Pad(M, f->m_granule), stride = Pad(n, 16);

  int8_t* weights = calloc(N, K);           /* -1, 0 or +1 */
  int8_t* tokens = calloc((size_t)m, (size_t)k); /* padding is zero */
  for (int i = 0; i < N * K; ++i) weights[i] = (int8_t)(i * 7 / 5 % 3 - 1);
  for (int i = 0; i < M * K; ++i) tokens[i / K * k + i % K] = (int8_t)(i * 31 % 255 - 127);

  void* w = Room(f->layout->packed_bytes(N, K));
  void* a = Room(f->act_form->prepared_bytes(m, k));
  int32_t* y = Room(sizeof(int32_t) * (size_t)stride * (size_t)m);
  int32_t status = f->layout->pack(weights, K, N, K, 0, N, w);
  status |= f->act_form->prepare(tokens, k, m, k, 0, f->act_form->parts(m, k), a);
  const trit_matmul_args args = {sizeof(args), m, n, k, 0, m, 0, n, f, a, w, y, stride,
                                 Room(f->scratch_bytes)};
  status |= f->run(&args);
  for (int t = 0; t < M; ++t) /* the same by definition */
    for (int r = 0; r < N; ++r) {
      int32_t sum = 0;
      for (int i = 0; i < K; ++i) sum += tokens[t * k + i] * weights[r * K + i];
      if (sum != y[t * stride + r]) status = 99;
    }
  printf("%s: %s\n", f->name, status ? "wrong" : "exact");
  return status != 0;
}
