// The readers' tensors: views of mapped bytes through an encoding.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "model/encoding/encoding.h"
#include "model/source/mapped_file.h"
#include "model/source/tensor.h"

namespace trit {

// Bytes of a tensor in an open file; `file` may be null (bytes from elsewhere: DropPages does
// nothing then). Whoever hands out views keeps the file open.
struct FileBytes {
  std::span<const uint8_t> bytes;
  const MappedFile* file = nullptr;

  void Drop(uint64_t begin, uint64_t end) const {
    if (file != nullptr) file->Drop(bytes.subspan(begin, end - begin));
  }
};

// `bytes` has exactly encoding.bytes(n, k) bytes. The file's scales are multiplied by `factor`.
std::unique_ptr<TernaryTensor> MakeEncodedTernary(std::string name, const TernaryEncoding& encoding,
                                                  FileBytes bytes, int64_t n, int64_t k,
                                                  float factor);

// Packed as Hugging Face checkpoints have it: uint8 [n/4, k], bits 2i+1..2i of row r hold row
// i*(n/4) + r as code = trit + 1. One scale, or one for each of `scales.size()` equal row blocks.
std::unique_ptr<TernaryTensor> MakeHfPackedTernary(std::string name, FileBytes bytes, int64_t n,
                                                   int64_t k, TernaryScales scales);

// Float weights read as trits: every row must be {-s, 0, s}, or, with `absmean`, the tensor is
// quantised: s = 1 / max(mean|W|, 1e-5), t = clamp(round(W s), -1, 1), scale 1/s. A tensor whose
// rows are {-s, 0, s} already is taken as it is in both cases.
std::unique_ptr<TernaryTensor> MakeFloatTernary(std::string name,
                                                std::shared_ptr<const DenseTensor> values,
                                                bool absmean, float factor);

std::unique_ptr<DenseTensor> MakeDense(std::string name, const DenseEncoding& encoding,
                                       FileBytes bytes, int64_t rows, int64_t cols);

// A ternary matrix read as numbers.
std::unique_ptr<DenseTensor> MakeTernaryAsDense(std::unique_ptr<TernaryTensor> ternary);

}  // namespace trit
