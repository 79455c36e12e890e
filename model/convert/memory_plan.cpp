#include "model/convert/memory_plan.h"

#include <algorithm>

#include "model/convert/convert.h"
#include "model/encoding/encoding.h"
#include "targets/base/error.h"

namespace trit {
namespace {

void AddTernary(const std::string& name, uint64_t n, uint64_t k, MemoryPlan* plan) {
  const auto known =
      std::find_if(plan->products.begin(), plan->products.end(),
                   [&](const PlannedProduct& p) { return p.name == name && p.n == n && p.k == k; });
  if (known == plan->products.end()) {
    plan->products.push_back({name, n, k, 1});
  } else {
    ++known->count;
  }
  plan->ternary_weights += n * k;
  plan->macs_per_token += n * k;
  plan->packed_2bit_bytes += n * ((k + 3) / 4);
  plan->packed_lut3w_bytes += n * ((k + 8) / 9) * 2;
}

}  // namespace

MemoryPlan PlanPreset(const Preset& preset, const std::string& head) {
  const DenseEncoding* encoding = FindDenseEncoding(head);
  if (encoding == nullptr) {
    throw Error(Join("--head ", head, " is unknown; known are ", DenseEncodingNames(false)));
  }
  MemoryPlan plan;
  const uint64_t q = uint64_t{preset.heads} * preset.head_dim;
  const uint64_t kv = uint64_t{preset.kv_heads} * preset.head_dim;
  for (uint32_t layer = 0; layer < preset.layers; ++layer) {
    AddTernary("attn_q", q, preset.hidden, &plan);
    AddTernary("attn_k", kv, preset.hidden, &plan);
    AddTernary("attn_v", kv, preset.hidden, &plan);
    AddTernary("attn_output", preset.hidden, q, &plan);
    AddTernary("ffn_gate", preset.ffn, preset.hidden, &plan);
    AddTernary("ffn_up", preset.ffn, preset.hidden, &plan);
    AddTernary("ffn_down", preset.hidden, preset.ffn, &plan);
    plan.norm_bytes += 4 * (2 * preset.hidden + (preset.sub_norms ? q + preset.ffn : 0));
  }
  plan.norm_bytes += 4 * uint64_t{preset.hidden};
  plan.head_bytes_per_token =
      uint64_t{preset.vocab} * preset.hidden / encoding->block * encoding->block_bytes;
  plan.embedding_bytes = plan.head_bytes_per_token * (preset.tied ? 1 : 2);
  plan.kv_bytes_per_token = 2 * kv * 2 * preset.layers;
  plan.context = preset.context;
  return plan;
}

MemoryPlan PlanModel(const ModelSource& source) {
  MemoryPlan plan;
  const Metadata& metadata = source.metadata();
  const std::string prefix = source.architecture() + ".";
  uint64_t embedding = 0, head = 0;
  for (const TensorInfo& info : source.tensors()) {
    if (IsProjection(info.name)) {
      const std::string part = info.name.substr(0, info.name.rfind('.'));
      AddTernary(part.substr(part.rfind('.') + 1), static_cast<uint64_t>(info.rows),
                 static_cast<uint64_t>(info.cols), &plan);
    } else if (info.name == "token_embd.weight") {
      embedding = info.bytes;
    } else if (info.name == "output.weight") {
      head = info.bytes;
    } else {
      plan.norm_bytes += 4 * static_cast<uint64_t>(info.rows * info.cols);
    }
  }
  plan.embedding_bytes = embedding + head;
  plan.head_bytes_per_token = head != 0 ? head : embedding;
  const uint64_t heads = metadata.U32(prefix + "attention.head_count");
  const uint64_t kv_heads =
      metadata.U32Or(prefix + "attention.head_count_kv", static_cast<uint32_t>(heads));
  const uint64_t hidden = metadata.U32(prefix + "embedding_length");
  const uint64_t head_dim = metadata.U32Or(prefix + "attention.key_length",
                                           static_cast<uint32_t>(heads == 0 ? 0 : hidden / heads));
  plan.kv_bytes_per_token = 2 * kv_heads * head_dim * 2 * metadata.U32(prefix + "block_count");
  plan.context = metadata.U32(prefix + "context_length");
  return plan;
}

}  // namespace trit
