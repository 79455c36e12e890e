// config.json of a Hugging Face checkpoint, translated to GGUF's metadata keys.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/source/metadata.h"

namespace trit {

struct HfConfig {
  std::string architecture;  // GGUF's: "bitnet-b1.58", "bitnet", "llama", "qwen3", "gemma3"
  Metadata metadata;
  std::optional<bool> tied_head;  // empty when the configuration does not say
  bool bitnet = false;            // the configuration says that projections are ternary
  // Packed weights: true = the product is multiplied by weight_scale ("autobitlinear"), false =
  // divided by it ("bitlinear", and when linear_class is absent).
  bool scale_multiplies = false;
  std::vector<std::string> notes;
};

// Refuses by name what would change the result and is not understood (rope_scaling, biases,
// unknown activations). `text` is the file's content.
HfConfig ParseHfConfig(const std::string& text, const std::string& origin);

}  // namespace trit
