// The two things a tensor of a model file can be: a ternary matrix or a dense one. Both are views
// of a mapped file; nothing is expanded until rows are asked for, and then only those rows. All
// reading functions are const and may be called from several threads at once.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace trit {

// Identity of a tensor's content for the packed cache: equal hash = equal trits and scales.
struct ContentHash {
  uint64_t low = 0, high = 0;
  bool operator==(const ContentHash&) const = default;
  std::string Hex() const;
};

// What the trits are multiplied by, always "multiply", whatever the file says.
//   scale of w[r, c] = values[(r / row_group) * GroupsPerRow(k) + c / k_group]
// One scale for the whole matrix: row_group = n, k_group = k, values.size() = 1. The coarsest
// description that fits is the one given: equal scales are merged.
struct TernaryScales {
  int64_t row_group = 0;
  int64_t k_group = 0;
  std::vector<float> values;

  bool single() const { return values.size() == 1; }
  // One value for each row_group rows; false when scales change along K.
  bool constant_along_k(int64_t k) const { return k_group >= k; }
  int64_t GroupsPerRow(int64_t k) const { return (k + k_group - 1) / k_group; }
};

class TernaryTensor {
 public:
  virtual ~TernaryTensor() = default;
  virtual const std::string& name() const = 0;
  virtual int64_t n() const = 0;  // output features, rows
  virtual int64_t k() const = 0;  // input features, columns
  // For people: "i2_s", "tq2_0", "hf packed uint8", "bf16 masters, absmean", ...
  virtual std::string encoding() const = 0;
  // Rows [row_begin, row_end) as -1, 0, +1; rows k bytes apart at `out`. Throws an Error that names
  // the tensor when the file holds something that is not a trit.
  virtual void ReadTrits(int64_t row_begin, int64_t row_end, int8_t* out) const = 0;
  // May pass over the whole tensor once (group scales, absmean); keep the result.
  virtual TernaryScales Scales() const = 0;
  // Passes over the file's bytes once.
  virtual ContentHash Hash() const = 0;
  // Tells the system that these rows' file pages are not needed soon, so that a mapped file does
  // not count as this process's memory after its tensors were packed. Reading again stays correct.
  virtual void DropPages(int64_t row_begin, int64_t row_end) const = 0;
};

// The dense types, with GGUF's ids.
enum class DenseType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ8_0 = 8,
  kQ4_K = 12,
  kQ6_K = 14,
  kBF16 = 30,
  kTernary = 0xffffffff,  // a ternary matrix read as numbers (ternary embeddings and heads)
};

class DenseTensor {
 public:
  virtual ~DenseTensor() = default;
  virtual const std::string& name() const = 0;
  virtual DenseType type() const = 0;
  virtual std::string encoding() const = 0;  // "f16", "q6_k", ...
  virtual int64_t rows() const = 0;          // 1 for a vector
  virtual int64_t cols() const = 0;
  // The rows back to back as the file has them; a row is row_bytes() long. 32-byte aligned in GGUF
  // files, aligned to nothing in others. Empty for kTernary.
  virtual std::span<const uint8_t> bytes() const = 0;
  virtual int64_t row_bytes() const = 0;
  // Rows [row_begin, row_end) in float32, cols() apart.
  virtual void ReadRowsF32(int64_t row_begin, int64_t row_end, float* out) const = 0;
  virtual ContentHash Hash() const = 0;
  virtual void DropPages(int64_t row_begin, int64_t row_end) const = 0;  // as TernaryTensor's
};

}  // namespace trit
