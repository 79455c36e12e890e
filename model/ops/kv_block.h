// How keys and values lie in memory: blocks of 64 positions of one layer and one KV head.
//
//   keys    transposed, [head_dim][64]: lanes are positions, so a score is one chain of fused
//           multiply-adds over head_dim whatever the vector length and however many queries share
//           it
//   values  [64][dim_padded], dim_padded = head_dim rounded up to 16
//   scales  int8 only: 64 key scales, 64 value scales (float)
//
//     keys(d=0): p0 p1 ... p63 | keys(d=1): p0 p1 ... p63 | ...      values(p=0): d0 d1 ... | ...
//
// A position outside the sequence may hold anything finite (fresh blocks are zero): its score is
// masked and its probability is exactly 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace trit::ops {

enum class KvType : uint32_t { kF16 = 0, kF32 = 1, kInt8 = 2 };
KvType ParseKvType(const std::string& name);  // "f16", "f32", "int8"; an Error lists them
const char* KvTypeName(KvType type);

inline constexpr int kKvPositions = 64;

struct KvBlockShape {
  KvType type = KvType::kF16;
  int head_dim = 0;

  int dim_padded() const { return (head_dim + 15) / 16 * 16; }
  size_t value_bytes() const { return type == KvType::kF32 ? 4 : type == KvType::kF16 ? 2 : 1; }
  size_t keys_bytes() const { return value_bytes() * kKvPositions * static_cast<size_t>(head_dim); }
  size_t values_offset() const { return (keys_bytes() + 63) / 64 * 64; }
  size_t scales_offset() const {
    return values_offset() + value_bytes() * kKvPositions * static_cast<size_t>(dim_padded());
  }
  size_t bytes() const {
    return scales_offset() + (type == KvType::kInt8 ? 2 * kKvPositions * sizeof(float) : 0);
  }
};

// Fetches what WriteKv of that slot will write: a key is a column, a line of memory each value.
void FetchKv(const KvBlockShape& shape, void* block, int slot);
// Stores one position (slot 0..63) of one head: key (already rotated) and value, head_dim floats.
// f16 rounds to nearest even; int8 uses one absmax scale for each position.
void WriteKv(const KvBlockShape& shape, void* block, int slot, const float* key,
             const float* value);

}  // namespace trit::ops
