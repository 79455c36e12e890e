// What a model needs in memory and what a token costs, from its shapes alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/convert/presets.h"
#include "model/source/model_source.h"

namespace trit {

// Matrices of one name and shape: `count` of them, one a layer.
struct PlannedProduct {
  std::string name;  // "attn_q"
  uint64_t n = 0, k = 0, count = 0;
};

struct MemoryPlan {
  std::vector<PlannedProduct> products;
  uint64_t ternary_weights = 0;     // trits that are multiplied
  uint64_t packed_2bit_bytes = 0;   // at 2 bits a weight
  uint64_t packed_lut3w_bytes = 0;  // at 16 bits for nine weights
  uint64_t embedding_bytes = 0;     // as encoded; a tied one counts once
  uint64_t head_bytes_per_token = 0;
  uint64_t norm_bytes = 0;
  uint64_t kv_bytes_per_token = 0;  // f16
  uint64_t context = 0;
  uint64_t macs_per_token = 0;  // ternary products alone
};

MemoryPlan PlanPreset(const Preset& preset, const std::string& head);
// From a file's tensors and metadata.
MemoryPlan PlanModel(const ModelSource& source);

}  // namespace trit
