// Q6_K and Q4_K: blocks of 256 along K.
//
//   Q6_K, 210 bytes: ql[128], qh[64], int8 scales[16], f16 d;  value = d * scales[e/16] * (q - 32)
//     half h of 128 elements has 64 bytes of ql and 32 of qh; for l = 0..31
//       element l     low nibble  of ql[l]      bits 1-0 of qh[l] above it
//       element l+32  low nibble  of ql[l+32]   bits 3-2
//       element l+64  high nibble of ql[l]      bits 5-4
//       element l+96  high nibble of ql[l+32]   bits 7-6
//   Q4_K, 144 bytes: f16 d, f16 dmin, 12 bytes of eight 6-bit (scale, min) pairs, qs[128]
//     value = d * scale * q - dmin * min; run r of 32 is in bytes 32*(r/2).., low nibbles first.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/encoding/encoding.h"
#include "model/encoding/half.h"

namespace trit {
namespace {

constexpr int kBlock = 256;

float LoadScale(const uint8_t* at) {
  uint16_t half;
  std::memcpy(&half, at, 2);
  return F16ToF32(half);
}

void ReadQ6(const uint8_t* data, uint64_t count, float* out) {
  for (uint64_t i = 0; i < count; i += kBlock, data += 210, out += kBlock) {
    const float d = LoadScale(data + 208);
    for (int half = 0; half < 2; ++half) {
      const uint8_t* low = data + 64 * half;
      const uint8_t* high = data + 128 + 32 * half;
      const uint8_t* scales = data + 192 + 8 * half;
      float* to = out + 128 * half;
      for (int l = 0; l < 32; ++l) {
        const int q[4] = {
            (low[l] & 15) | (high[l] & 3) << 4, (low[l + 32] & 15) | (high[l] >> 2 & 3) << 4,
            low[l] >> 4 | (high[l] >> 4 & 3) << 4, low[l + 32] >> 4 | (high[l] >> 6) << 4};
        for (int part = 0; part < 4; ++part) {
          const auto scale = static_cast<int8_t>(scales[2 * part + l / 16]);
          to[32 * part + l] = d * static_cast<float>(scale) * static_cast<float>(q[part] - 32);
        }
      }
    }
  }
}

// Nearest integer for |value| < 2^22 without a call, so that loops over it vectorise.
inline int Nearest(float value) {
  const float anchored = value + 12582912.0f;
  int32_t bits;
  std::memcpy(&bits, &anchored, 4);
  return (bits & 0x7fffff) - 0x400000;
}

// A scale for sixteen values, codes -32..31, by weighted least squares (weight x^2) over a few
// starting points around the extreme value; the best of three by what it leaves unexplained.
float BestScale(const float* x) {
  float extreme = 0;
  for (int j = 0; j < 16; ++j) {
    if (std::fabs(x[j]) > std::fabs(extreme)) extreme = x[j];
  }
  if (std::fabs(extreme) < 1e-15f) return 0;
  float best_scale = extreme / -32.0f, best_gain = -1;
  for (const float steps : {-32.0f, -31.4f, -30.6f}) {
    const float inverse = steps / extreme;
    float xq = 0, qq = 0;
    for (int j = 0; j < 16; ++j) {
      const float q = static_cast<float>(std::clamp(Nearest(x[j] * inverse), -32, 31));
      const float weight = x[j] * x[j];
      xq += weight * x[j] * q;
      qq += weight * q * q;
    }
    if (qq > 0 && xq * xq > best_gain * qq) {
      best_gain = xq * xq / qq;
      best_scale = xq / qq;
    }
  }
  return best_scale;
}

void WriteQ6(const float* values, uint64_t count, uint8_t* out) {
  for (uint64_t i = 0; i < count; i += kBlock, values += kBlock, out += 210) {
    std::memset(out, 0, 210);
    float scales[16], extreme = 0;
    for (int r = 0; r < 16; ++r) {
      scales[r] = BestScale(values + 16 * r);
      if (std::fabs(scales[r]) > std::fabs(extreme)) extreme = scales[r];
    }
    if (std::fabs(extreme) < 1e-15f) continue;  // d = 0: all zeros
    const uint16_t half = F32ToF16(extreme / -128.0f);
    const float d = F16ToF32(half);
    std::memcpy(out + 208, &half, 2);
    if (d == 0) continue;
    uint8_t codes[kBlock];
    for (int r = 0; r < 16; ++r) {
      const int scale = std::clamp(Nearest(scales[r] / d), -128, 127);
      out[192 + r] = static_cast<uint8_t>(static_cast<int8_t>(scale));
      const float step = d * static_cast<float>(scale);
      const float inverse = step != 0 ? 1.0f / step : 0.0f;
      for (int j = 16 * r; j < 16 * r + 16; ++j) {
        const float scaled = std::clamp(values[j] * inverse, -32.0f, 31.0f);
        codes[j] = static_cast<uint8_t>(Nearest(scaled) + 32);
      }
    }
    for (int h = 0; h < 2; ++h) {
      const uint8_t* from = codes + 128 * h;
      for (int l = 0; l < 32; ++l) {
        out[64 * h + l] = static_cast<uint8_t>((from[l] & 15) | (from[l + 64] & 15) << 4);
        out[64 * h + l + 32] = static_cast<uint8_t>((from[l + 32] & 15) | (from[l + 96] & 15) << 4);
        out[128 + 32 * h + l] =
            static_cast<uint8_t>(from[l] >> 4 | from[l + 32] >> 4 << 2 | from[l + 64] >> 4 << 4 |
                                 from[l + 96] >> 4 << 6);
      }
    }
  }
}

void ReadQ4(const uint8_t* data, uint64_t count, float* out) {
  for (uint64_t i = 0; i < count; i += kBlock, data += 144, out += kBlock) {
    const float d = LoadScale(data), dmin = LoadScale(data + 2);
    const uint8_t* s = data + 4;
    for (int r = 0; r < 8; ++r) {
      const int scale = r < 4 ? s[r] & 63 : (s[r + 4] & 15) | (s[r - 4] >> 6) << 4;
      const int min = r < 4 ? s[r + 4] & 63 : s[r + 4] >> 4 | (s[r] >> 6) << 4;
      const float step = d * static_cast<float>(scale), base = dmin * static_cast<float>(min);
      const uint8_t* q = data + 16 + 32 * (r / 2);
      for (int j = 0; j < 32; ++j) {
        const int code = r % 2 == 0 ? q[j] & 15 : q[j] >> 4;
        out[32 * r + j] = step * static_cast<float>(code) - base;
      }
    }
  }
}

}  // namespace

extern const DenseEncoding kDenseQ6_K, kDenseQ4_K;
const DenseEncoding kDenseQ6_K = {"q6_k", DenseType::kQ6_K, kBlock, 210, ReadQ6, WriteQ6};
const DenseEncoding kDenseQ4_K = {"q4_k", DenseType::kQ4_K, kBlock, 144, ReadQ4, nullptr};

}  // namespace trit
