// How the numbers of a tensor lie in a file: one file an encoding, one line each in encodings.inc.
//
// An encoding is a table of plain functions over bytes whose extent the caller has checked against
// bytes(n, k). Matrices are n rows of k. Nothing here knows about files, names or models.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "model/source/tensor.h"

namespace trit {

// Trits. code = trit + 1 wherever two bits hold one.
struct TernaryEncoding {
  const char* name;   // "i2_s"
  uint32_t ggml_id;   // several entries may share one (the orders of I2_S)
  const char* order;  // which of them: the value of --i2s-order; "" where there is one only
  // Size of the whole tensor; 0 when the encoding is not defined for the shape.
  uint64_t (*bytes)(uint64_t n, uint64_t k);
  const char* shape_rule;  // "needs K to be a multiple of 256"
  // Rows [row_begin, row_end), k apart. False when a code stands for no trit (out is then
  // undefined).
  bool (*read)(const uint8_t* data, uint64_t n, uint64_t k, uint64_t row_begin, uint64_t row_end,
               int8_t* out);
  // As the file has them, not merged.
  TernaryScales (*scales)(const uint8_t* data, uint64_t n, uint64_t k);

  // The scale can be any f32. Otherwise it is an f16.
  bool scale_is_f32;

  // Writing; left out where the project does not write the encoding.
  // `count` trits that begin a block (the tensor's trits in order, a multiple of write_block).
  uint64_t write_block = 0;
  uint64_t write_block_bytes = 0;
  void (*write)(const int8_t* trits, uint64_t count, float scale, uint8_t* out) = nullptr;
  // Bytes after the last block (I2_S: the scale); `trailer_bytes` of them.
  uint64_t trailer_bytes = 0;
  void (*write_trailer)(float scale, uint8_t* out) = nullptr;
};

// Numbers, in runs of `block` along K.
struct DenseEncoding {
  const char* name;  // "q6_k"
  DenseType type;
  uint32_t block;
  uint32_t block_bytes;
  // `count` is a multiple of block.
  void (*read)(const uint8_t* data, uint64_t count, float* out);
  void (*write)(const float* values, uint64_t count, uint8_t* out);  // null: not written
};

std::span<const TernaryEncoding* const> TernaryEncodings();
std::span<const DenseEncoding* const> DenseEncodings();

// Null when unknown.
const TernaryEncoding* FindTernaryEncoding(uint32_t ggml_id, std::string_view order);
const TernaryEncoding* FindTernaryEncoding(std::string_view name);
const DenseEncoding* FindDenseEncoding(uint32_t ggml_id);
const DenseEncoding* FindDenseEncoding(std::string_view name);

// "i2_s, tq1_0, ..." for messages.
std::string TernaryEncodingNames(bool writable_only);
std::string DenseEncodingNames(bool writable_only);

// What to say about a known type that is refused (TL1, TL2, I8_S, ...); "" for one that is unknown.
std::string RefusedTypeReason(uint32_t ggml_id);

// Merges equal scales: to one, to one a row (or run of rows), to wider groups along K.
TernaryScales MergeScales(TernaryScales scales, int64_t n, int64_t k);

}  // namespace trit
