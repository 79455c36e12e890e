// Writes a GGUF v3 file: description first, then tensor data at any place in any order and from
// several threads. The file appears under its name only when it is complete.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/source/metadata.h"

namespace trit {

struct GgufTensorPlan {
  std::string name;
  uint32_t type = 0;  // GGUF's id
  std::vector<uint64_t> dims;
  uint64_t bytes = 0;
};

class GgufWriter {
 public:
  // Writes everything but the tensors' data to a temporary file beside `path`.
  GgufWriter(const std::string& path, const Metadata& metadata,
             std::vector<GgufTensorPlan> tensors);
  // Removes the temporary file unless Finish was called.
  ~GgufWriter();
  GgufWriter(const GgufWriter&) = delete;
  GgufWriter& operator=(const GgufWriter&) = delete;

  // Bytes at `offset` of tensor `index`; from any thread. Throws when the disk is full.
  void Write(size_t index, uint64_t offset, std::span<const uint8_t> bytes);
  // The whole file's size.
  uint64_t total_bytes() const { return total_bytes_; }
  // The temporary file, complete but for its name: for checking before Finish.
  const std::string& temporary_path() const { return temporary_; }
  // Puts the file in its place.
  void Finish();

 private:
  std::string path_, temporary_;
  std::vector<GgufTensorPlan> tensors_;
  std::vector<uint64_t> offsets_;
  uint64_t total_bytes_ = 0;
  int fd_ = -1;
  bool finished_ = false;
};

// The bytes before the data section, padded to the alignment; for tests as well. `offsets` gets
// each tensor's place in the data section, `data_bytes` the section's size.
std::vector<uint8_t> GgufHeader(const Metadata& metadata, std::span<const GgufTensorPlan> tensors,
                                std::vector<uint64_t>* offsets, uint64_t* data_bytes);

}  // namespace trit
