// A GGUF file, versions 2 and 3, parsed and checked.
//
// Everything is validated before it is used: each count against the bytes that are left, each
// length and offset against the file's size, each tensor's extent against the data section and
// against its neighbours. Nothing is allocated in proportion to a number the file merely claims: a
// count of 2^63 in a file of 100 bytes is an Error, not an allocation.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/encoding/encoding.h"
#include "model/source/metadata.h"

namespace trit {

struct GgufTensor {
  std::string name;
  uint32_t type = 0;
  std::vector<uint64_t> dims;  // GGUF's order: the contiguous dimension first
  int64_t rows = 1, cols = 1;  // dims[0] = cols; the others multiplied = rows
  uint64_t offset = 0;         // from the beginning of the file
  uint64_t bytes = 0;
  // One of the two.
  const TernaryEncoding* ternary = nullptr;
  const DenseEncoding* dense = nullptr;
};

struct GgufFile {
  uint32_t version = 0;
  uint32_t alignment = 32;
  Metadata metadata;
  std::vector<GgufTensor> tensors;
};

// `origin` names the file in errors. `i2s_order` as in FindTernaryEncoding. The result refers to
// `bytes`, which must stay.
GgufFile ParseGguf(std::span<const uint8_t> bytes, const std::string& origin,
                   std::string_view i2s_order);

}  // namespace trit
