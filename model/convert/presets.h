// Shapes of known models: what `trit synth` makes and what memory plans are computed for.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace trit {

struct Preset {
  const char* name;
  const char* architecture;  // GGUF's
  uint32_t hidden, ffn, layers, heads, kv_heads, head_dim, vocab, context;
  float rope_theta, eps;
  bool tied;       // no output.weight
  bool sub_norms;  // attn_sub_norm, ffn_sub_norm
};

std::span<const Preset> Presets();
// Throws an Error that lists the names.
const Preset& FindPreset(std::string_view name);

}  // namespace trit
