// Files made for tests, byte by byte, and a folder that goes away afterwards.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "model/convert/synth_vocabulary.h"
#include "model/encoding/encoding.h"
#include "model/gguf/gguf_tokenizer.h"
#include "model/gguf/gguf_writer.h"
#include "model/source/model_source.h"

namespace trit::test {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "trit-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }
  std::string Write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return *this / name;
  }

 private:
  std::filesystem::path path_;
};

inline std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline std::vector<int8_t> RandomTrits(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<int8_t> trits(count);
  for (int8_t& trit : trits) trit = static_cast<int8_t>(static_cast<int>(random() % 3) - 1);
  return trits;
}

// A ternary tensor's bytes in an encoding that the project writes.
inline std::vector<uint8_t> Encode(const TernaryEncoding& encoding,
                                   const std::vector<int8_t>& trits, float scale) {
  std::vector<uint8_t> bytes(trits.size() / encoding.write_block * encoding.write_block_bytes +
                             encoding.trailer_bytes);
  encoding.write(trits.data(), trits.size(), scale, bytes.data());
  if (encoding.trailer_bytes != 0) {
    encoding.write_trailer(scale, bytes.data() + bytes.size() - encoding.trailer_bytes);
  }
  return bytes;
}

struct TestTensor {
  std::string name;
  uint32_t type;
  std::vector<uint64_t> dims;
  std::vector<uint8_t> bytes;
};

// A whole GGUF file in memory.
inline std::vector<uint8_t> BuildGguf(const Metadata& metadata,
                                      const std::vector<TestTensor>& tensors) {
  std::vector<GgufTensorPlan> plans;
  for (const TestTensor& tensor : tensors) {
    plans.push_back({tensor.name, tensor.type, tensor.dims, tensor.bytes.size()});
  }
  std::vector<uint64_t> offsets;
  uint64_t data_bytes = 0;
  std::vector<uint8_t> file = GgufHeader(metadata, plans, &offsets, &data_bytes);
  const size_t begin = file.size();
  file.resize(begin + data_bytes);
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].bytes.empty()) continue;
    std::memcpy(file.data() + begin + offsets[i], tensors[i].bytes.data(), tensors[i].bytes.size());
  }
  return file;
}

// One ternary tensor of each encoding that is written, some dense ones, a vocabulary.
inline std::vector<uint8_t> SmallGguf() {
  Metadata metadata("small");
  metadata.SetString("general.architecture", "bitnet-b1.58");
  metadata.SetU32("bitnet-b1.58.block_count", 1);
  metadata.SetF32("bitnet-b1.58.attention.layer_norm_rms_epsilon", 1e-5f);
  WriteGgufTokenizer(SynthVocabulary(300), &metadata);
  const auto trits = RandomTrits(2 * 256, 5);
  std::vector<TestTensor> tensors;
  for (const char* name : {"i2_s", "tq1_0", "tq2_0"}) {
    const TernaryEncoding& encoding = *FindTernaryEncoding(name);
    tensors.push_back({std::string("blk.0.") + name + ".weight",
                       encoding.ggml_id,
                       {256, 2},
                       Encode(encoding, trits, 0.5f)});
  }
  std::vector<uint8_t> floats(64 * 4);
  for (size_t i = 0; i < 64; ++i) {
    const float value = static_cast<float>(i) * 0.25f - 3.0f;
    std::memcpy(floats.data() + 4 * i, &value, 4);
  }
  tensors.push_back({"output_norm.weight", 0, {64}, floats});
  return BuildGguf(metadata, tensors);
}

// What the call throws; "" when it throws nothing.
template <typename Call>
std::string Fault(const Call& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

}  // namespace trit::test
