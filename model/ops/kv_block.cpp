#include "model/ops/kv_block.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "targets/base/error.h"

namespace trit::ops {

void ConvertToF16(const float* x, int n, uint16_t* y);  // attention.cpp

namespace {
struct Named {
  const char* name;
  KvType type;
};
constexpr Named kTypes[] = {{"f16", KvType::kF16}, {"f32", KvType::kF32}, {"int8", KvType::kInt8}};

// Scatters a key into its column, a value into its row.
template <typename T>
void Place(const KvBlockShape& shape, uint8_t* base, int slot, const T* key, const T* value) {
  T* keys = reinterpret_cast<T*>(base) + slot;
  for (int d = 0; d < shape.head_dim; ++d) keys[d * kKvPositions] = key[d];
  T* row = reinterpret_cast<T*>(base + shape.values_offset()) + slot * shape.dim_padded();
  std::memcpy(row, value, sizeof(T) * static_cast<size_t>(shape.head_dim));
  std::fill(row + shape.head_dim, row + shape.dim_padded(), T{0});
}

// q = round_half_even(x / scale), scale = absmax / 127.
float ToInt8(const float* x, int n, int8_t* q) {
  float largest = 0;
  for (int i = 0; i < n; ++i) largest = std::max(largest, std::fabs(x[i]));
  const float scale = largest / 127.0f;
  const float inverse = largest > 0 ? 127.0f / largest : 0.0f;
  for (int i = 0; i < n; ++i) {
    q[i] = static_cast<int8_t>(std::clamp(std::nearbyint(x[i] * inverse), -127.0f, 127.0f));
  }
  return scale;
}
}  // namespace

KvType ParseKvType(const std::string& name) {
  std::string known;
  for (const Named& entry : kTypes) {
    if (name == entry.name) return entry.type;
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw Error(Join("unknown KV cache type '", name, "'; known are ", known));
}

const char* KvTypeName(KvType type) {
  for (const Named& entry : kTypes) {
    if (entry.type == type) return entry.name;
  }
  return "?";
}

void FetchKv(const KvBlockShape& shape, void* block, int slot) {
  const size_t bytes = shape.value_bytes();
  auto* base = static_cast<uint8_t*>(block);
  const uint8_t* key = base + static_cast<size_t>(slot) * bytes;
  for (int d = 0; d < shape.head_dim; ++d) {
    __builtin_prefetch(key + static_cast<size_t>(d) * kKvPositions * bytes, 1);
  }
  const size_t row = static_cast<size_t>(shape.dim_padded()) * bytes;
  const uint8_t* value = base + shape.values_offset() + static_cast<size_t>(slot) * row;
  for (size_t at = 0; at < row; at += 64) __builtin_prefetch(value + at, 1);
}

void WriteKv(const KvBlockShape& shape, void* block, int slot, const float* key,
             const float* value) {
  auto* base = static_cast<uint8_t*>(block);
  constexpr int kStack = 512;
  if (shape.head_dim > kStack) {
    throw Error(Join("head_dim ", shape.head_dim, " is larger than the cache takes (512)"));
  }
  switch (shape.type) {
    case KvType::kF32:
      return Place(shape, base, slot, key, value);
    case KvType::kF16: {
      uint16_t halves[2 * kStack];
      ConvertToF16(key, shape.head_dim, halves);
      ConvertToF16(value, shape.head_dim, halves + kStack);
      return Place(shape, base, slot, halves, halves + kStack);
    }
    case KvType::kInt8: {
      int8_t bytes[2 * kStack];
      auto* scales = reinterpret_cast<float*>(base + shape.scales_offset());
      scales[slot] = ToInt8(key, shape.head_dim, bytes);
      scales[kKvPositions + slot] = ToInt8(value, shape.head_dim, bytes + kStack);
      return Place(shape, base, slot, bytes, bytes + kStack);
    }
  }
}

}  // namespace trit::ops
