// Which kernels multiply by a tensor of a file: for reports, without loading the model.
//
// Tensors that are one product (q, k, v; gate and up) have one answer. The answer is for all
// neurons; where dead ones are dropped at load time the product is narrower, and `--explain` of a
// loaded model says what it then uses.
#pragma once

#include <string>

#include "model/arch/config.h"
#include "runtime/kernel_set.h"

namespace trit {

struct TensorKernels {
  int32_t n = 0, k = 0;  // of the product
  std::string layout;
  std::string decode, prefill;  // kernel names for one token and for `prefill_tokens`
};

// False for a tensor that is no part of a ternary product.
bool FindTensorKernels(const Config& config, const KernelSet& kernels, const std::string& tensor,
                       int threads, int prefill_tokens, TensorKernels* out);

}  // namespace trit
