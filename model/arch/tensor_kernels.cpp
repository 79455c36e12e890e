#include "model/arch/tensor_kernels.h"

#include <string_view>

namespace trit {

bool FindTensorKernels(const Config& config, const KernelSet& kernels, const std::string& tensor,
                       int threads, int prefill_tokens, TensorKernels* out) {
  const int32_t qkv = config.q_width() + 2 * config.kv_width();
  const struct {
    std::string_view part;
    int32_t n, k;
  } products[] = {{"attn_q", qkv, config.hidden},
                  {"attn_k", qkv, config.hidden},
                  {"attn_v", qkv, config.hidden},
                  {"attn_output", config.hidden, config.q_width()},
                  {"ffn_gate", 2 * config.ffn, config.hidden},
                  {"ffn_up", 2 * config.ffn, config.hidden},
                  {"ffn_down", config.hidden, config.ffn}};
  const std::string_view name = tensor;
  const size_t last = name.rfind('.');
  const size_t before = last == name.npos || last == 0 ? name.npos : name.rfind('.', last - 1);
  if (!name.starts_with("blk.") || before == name.npos || name.substr(last) != ".weight") {
    return false;
  }
  const std::string_view part = name.substr(before + 1, last - before - 1);
  for (const auto& product : products) {
    if (product.part != part) continue;
    const KernelPlan plan = kernels.Plan(product.n, product.k, threads);
    *out = {product.n, product.k, plan.layout().id, plan.For(1).kernel->name,
            plan.For(prefill_tokens).kernel->name};
    return true;
  }
  return false;
}

}  // namespace trit
