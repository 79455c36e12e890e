#include "model/convert/presets.h"

#include <string>

#include "targets/base/error.h"

namespace trit {
namespace {

// name, architecture, hidden, ffn, layers, heads, kv, head_dim, vocab, context, theta, eps, tied,
// sub tiny-odd has K = 160 and 432: rows begin inside I2_S blocks, as in the 3B (3200, 8640).
constexpr Preset kTable[] = {
    {"tiny", "bitnet-b1.58", 256, 512, 2, 4, 2, 64, 512, 256, 500000, 1e-5f, true, true},
    {"tiny-llama", "llama", 256, 768, 2, 4, 2, 64, 512, 256, 500000, 1e-5f, false, false},
    {"tiny-odd", "bitnet", 160, 432, 2, 4, 4, 40, 512, 256, 10000, 1e-5f, true, true},
    {"0.7b", "bitnet", 1536, 4096, 24, 16, 16, 96, 32002, 2048, 10000, 1e-5f, true, true},
    {"2b4t", "bitnet-b1.58", 2560, 6912, 30, 20, 5, 128, 128256, 4096, 500000, 1e-5f, true, true},
    {"3b", "bitnet", 3200, 8640, 26, 32, 32, 100, 32002, 2048, 10000, 1e-5f, true, true},
    {"7b", "bitnet-b1.58", 4096, 12032, 32, 32, 8, 128, 128256, 4096, 500000, 1e-5f, true, true},
    {"llama3-8b", "llama", 4096, 14336, 32, 32, 8, 128, 128256, 8192, 500000, 1e-5f, false, false},
    {"falcon3-1b", "llama", 2048, 8192, 18, 8, 4, 256, 131072, 8192, 1000042, 1e-6f, false, false},
    {"falcon3-10b", "llama", 3072, 23040, 40, 12, 4, 256, 131072, 32768, 1000042, 1e-6f, false,
     false},
    {"13b", "bitnet-b1.58", 5120, 13824, 40, 40, 10, 128, 128256, 4096, 500000, 1e-5f, true, true},
    {"30b", "bitnet-b1.58", 6656, 16384, 60, 52, 13, 128, 128256, 4096, 500000, 1e-5f, true, true},
    {"100b", "bitnet-b1.58", 8192, 45568, 72, 64, 64, 128, 128256, 4096, 500000, 1e-5f, true, true},
};

}  // namespace

std::span<const Preset> Presets() {
  return kTable;
}

const Preset& FindPreset(std::string_view name) {
  std::string known;
  for (const Preset& preset : kTable) {
    if (name == preset.name) return preset;
    known += Join(known.empty() ? "" : ", ", preset.name);
  }
  throw Error(Join("the preset ", name, " is unknown; known are ", known));
}

}  // namespace trit
