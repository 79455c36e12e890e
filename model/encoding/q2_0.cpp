// Q2_0: 18 bytes a 64 weights along K: f16 d, then 16 bytes of codes in order, lowest bits first;
// value = (code - 1) * d. Code 3 would be +2: such a tensor is not ternary and is refused.
#include <cstring>

#include "model/encoding/encoding.h"
#include "model/encoding/half.h"
#include "model/encoding/two_bits.h"

namespace trit {
namespace {

constexpr uint64_t kBlock = 64, kBytes = 18;

bool Read(const uint8_t* data, uint64_t, uint64_t k, uint64_t row_begin, uint64_t row_end,
          int8_t* out) {
  data += row_begin * (k / kBlock) * kBytes;
  uint8_t threes = 0;
  for (uint64_t b = 0; b < (row_end - row_begin) * (k / kBlock); ++b, data += kBytes) {
    for (int j = 0; j < 16; ++j, out += 4) {
      threes |= SpreadCodes<1, FirstCode::kLowBits>(data + 2 + j, out);
    }
  }
  return threes == 0;
}

TernaryScales Scales(const uint8_t* data, uint64_t n, uint64_t k) {
  TernaryScales scales{1, kBlock, std::vector<float>(n * (k / kBlock))};
  for (float& value : scales.values) {
    uint16_t half;
    std::memcpy(&half, data, 2);
    value = F16ToF32(half);
    data += kBytes;
  }
  return scales;
}

}  // namespace

extern const TernaryEncoding kQ2_0;

const TernaryEncoding kQ2_0 = {
    .name = "q2_0",
    .ggml_id = 42,
    .order = "",
    .bytes = [](uint64_t n, uint64_t k) { return k % kBlock == 0 ? n * (k / kBlock) * kBytes : 0; },
    .shape_rule = "needs K to be a multiple of 64",
    .read = Read,
    .scales = Scales,
    .scale_is_f32 = false,
};

}  // namespace trit
