// Q8_0 and Q4_0: runs of 32 with an f16 scale before them.
//   Q8_0, 34 bytes: d, int8 q[32];                value = d * q
//   Q4_0, 18 bytes: d, byte j = w[j] | w[j+16]<<4; value = d * (nibble - 8)
#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/encoding/encoding.h"
#include "model/encoding/half.h"

namespace trit {
namespace {

constexpr int kRun = 32;

float LoadScale(const uint8_t* at) {
  uint16_t half;
  std::memcpy(&half, at, 2);
  return F16ToF32(half);
}

void ReadQ8(const uint8_t* data, uint64_t count, float* out) {
  for (uint64_t i = 0; i < count; i += kRun, data += 34, out += kRun) {
    const float d = LoadScale(data);
    for (int j = 0; j < kRun; ++j)
      out[j] = d * static_cast<float>(static_cast<int8_t>(data[2 + j]));
  }
}

void WriteQ8(const float* values, uint64_t count, uint8_t* out) {
  for (uint64_t i = 0; i < count; i += kRun, values += kRun, out += 34) {
    float largest = 0;
    for (int j = 0; j < kRun; ++j) largest = std::max(largest, std::fabs(values[j]));
    const float d = largest / 127.0f;
    const float inverse = d != 0 ? 1.0f / d : 0.0f;
    const uint16_t half = F32ToF16(d);
    std::memcpy(out, &half, 2);
    for (int j = 0; j < kRun; ++j) {
      out[2 + j] = static_cast<uint8_t>(static_cast<int8_t>(std::lround(values[j] * inverse)));
    }
  }
}

void ReadQ4(const uint8_t* data, uint64_t count, float* out) {
  for (uint64_t i = 0; i < count; i += kRun, data += 18, out += kRun) {
    const float d = LoadScale(data);
    for (int j = 0; j < 16; ++j) {
      out[j] = d * static_cast<float>((data[2 + j] & 15) - 8);
      out[j + 16] = d * static_cast<float>((data[2 + j] >> 4) - 8);
    }
  }
}

// The value of largest magnitude becomes -8: all sixteen codes are used.
void WriteQ4(const float* values, uint64_t count, uint8_t* out) {
  for (uint64_t i = 0; i < count; i += kRun, values += kRun, out += 18) {
    float extreme = 0;
    for (int j = 0; j < kRun; ++j) {
      if (std::fabs(values[j]) > std::fabs(extreme)) extreme = values[j];
    }
    const float d = extreme / -8.0f;
    const float inverse = d != 0 ? 1.0f / d : 0.0f;
    const uint16_t half = F32ToF16(d);
    std::memcpy(out, &half, 2);
    const auto code = [&](float value) {
      return std::min(15, static_cast<int>(value * inverse + 8.5f));
    };
    for (int j = 0; j < 16; ++j) {
      out[2 + j] = static_cast<uint8_t>(code(values[j]) | code(values[j + 16]) << 4);
    }
  }
}

}  // namespace

extern const DenseEncoding kDenseQ8_0, kDenseQ4_0;
const DenseEncoding kDenseQ8_0 = {"q8_0", DenseType::kQ8_0, kRun, 34, ReadQ8, WriteQ8};
const DenseEncoding kDenseQ4_0 = {"q4_0", DenseType::kQ4_0, kRun, 18, ReadQ4, WriteQ4};

}  // namespace trit
