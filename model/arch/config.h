// The numbers of one model, checked: what the forward pass needs and nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/arch/arch.h"
#include "model/source/model_source.h"

namespace trit {

struct Config {
  const ArchFacts* facts = nullptr;
  int layers = 0;
  int hidden = 0;
  int ffn = 0;
  int heads = 0, kv_heads = 0, head_dim = 0;
  int vocabulary = 0;
  int context = 0;  // the model's own limit
  float norm_eps = 0;
  ops::Activation activation = ops::Activation::kSquaredRelu;
  ops::RopeOrder rope_order = ops::RopeOrder::kHalves;
  float rope_base = 10000;
  float rope_position_scale = 1;    // linear scaling: position times this
  std::vector<float> rope_factors;  // frequencies are divided by these; empty = 1
  bool tied = false;                // the head is the embedding

  int q_width() const { return heads * head_dim; }
  int kv_width() const { return kv_heads * head_dim; }
  int group() const { return heads / kv_heads; }
};

struct ConfigOverrides {
  std::optional<ops::Activation> activation;
};

// Reads and checks the description of `source`. Throws an Error that names the key for anything
// missing, contradictory, or not understood while it would change the result; the same for tensors
// that no part of the model uses. What was decided is added to `notes`, a sentence each.
Config ReadConfig(const ModelSource& source, const ConfigOverrides& overrides,
                  std::vector<std::string>* notes);

}  // namespace trit
