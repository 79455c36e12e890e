// F32, F16 and BF16: numbers back to back, little-endian.
#include <cstring>

#include "model/encoding/encoding.h"
#include "model/encoding/half.h"

namespace trit {
namespace {

void ReadF32(const uint8_t* data, uint64_t count, float* out) {
  std::memcpy(out, data, count * 4);
}
void WriteF32(const float* values, uint64_t count, uint8_t* out) {
  std::memcpy(out, values, count * 4);
}

template <float (*kConvert)(uint16_t)>
void Read16(const uint8_t* data, uint64_t count, float* out) {
  for (uint64_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, data + 2 * i, 2);
    out[i] = kConvert(bits);
  }
}

template <uint16_t (*kConvert)(float)>
void Write16(const float* values, uint64_t count, uint8_t* out) {
  for (uint64_t i = 0; i < count; ++i) {
    const uint16_t bits = kConvert(values[i]);
    std::memcpy(out + 2 * i, &bits, 2);
  }
}

}  // namespace

extern const DenseEncoding kDenseF32, kDenseF16, kDenseBF16;
const DenseEncoding kDenseF32 = {"f32", DenseType::kF32, 1, 4, ReadF32, WriteF32};
const DenseEncoding kDenseF16 = {"f16", DenseType::kF16, 1, 2, Read16<F16ToF32>, Write16<F32ToF16>};
const DenseEncoding kDenseBF16 = {"bf16", DenseType::kBF16,  1,
                                  2,      Read16<BF16ToF32>, Write16<F32ToBF16>};

}  // namespace trit
