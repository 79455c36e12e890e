// A model in one file format -> a GGUF file with another ternary encoding.
//
// Streaming: rows are read, encoded and written a few megabytes at a time, and the source's pages
// are dropped behind, so memory stays below 1 GiB for a model of any size. Lossless: the written
// file is opened again and every trit and scale compared before it gets its name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/source/model_source.h"

namespace trit {

struct ConvertOptions {
  std::string type = "i2_s";  // ternary encoding to write
  std::string head = "keep";  // of the embedding and the head: a dense encoding, or "keep"
  int threads = 1;
  bool verify = true;
};

struct ConvertReport {
  uint64_t bytes = 0;
  int64_t ternary_tensors = 0, dense_tensors = 0;
  int64_t trits = 0;
  int64_t scale_tensors = 0;  // scales that f16 does not hold went to tensors of their own
};

// Throws, and leaves no file, when a tensor cannot be expressed in the encoding.
ConvertReport ConvertModel(const ModelSource& source, const std::string& out_path,
                           const ConvertOptions& options);

// "blk.3.ffn_down.weight" and the other six of a block: what is ternary in every supported model.
bool IsProjection(std::string_view tensor_name);

// GGUF's general.file_type of a model whose projections have this encoding.
uint32_t GgufFileType(std::string_view ternary_encoding);

}  // namespace trit
