// The header of a safetensors file: u64 length, that many bytes of JSON, then the data.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace trit {

struct SafeTensor {
  std::string name;
  std::string dtype;  // "F32", "F16", "BF16", "U8", ... as the file has it
  std::vector<int64_t> shape;
  uint64_t offset = 0;  // from the beginning of the file
  uint64_t bytes = 0;
};

// Checked: the header's length against the file, every extent against the data, the size against
// shape and dtype (where the dtype is known), and that no two tensors overlap. In the data's order.
std::vector<SafeTensor> ParseSafetensors(std::span<const uint8_t> bytes, const std::string& origin);

}  // namespace trit
