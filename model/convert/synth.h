// Random ternary models of real shapes: 28.9 % of the trits are -1, 42.2 % are 0, 28.9 % are +1 (as
// in BitNet 2B4T), and scales are such that activations neither explode nor vanish. The content is
// a function of (preset, seed) alone: neither the number of threads nor the encoding changes a
// trit.
#pragma once

#include <cstdint>
#include <string>

#include "model/convert/presets.h"
#include "model/source/tokenizer_spec.h"

namespace trit {

struct SynthOptions {
  uint64_t seed = 1;
  std::string type = "i2_s";  // ternary encoding
  std::string head = "f16";   // of the embedding and the head
  // Share of FFN neurons whose gate and up rows are all zero; 0.0476 in BitNet 2B4T.
  double dead_ffn = 0;
  int threads = 1;
};

// Streams the model to `out_path`. The vocabulary's size replaces the preset's. Returns the file's
// size. Throws when the encoding cannot hold the preset's shapes.
uint64_t SynthModel(const Preset& preset, const TokenizerSpec& vocabulary,
                    const std::string& out_path, const SynthOptions& options);

}  // namespace trit
