// An opened model: a GGUF file or a Hugging Face folder behind one face.
//
//   auto source = OpenModel("model.gguf", {});
//   uint32_t layers = source->metadata().U32(source->architecture() + ".block_count");
//   auto wq = source->Ternary("blk.0.attn_q.weight");
//   wq->ReadTrits(0, 16, trits);
//
// Names, both of tensors and of metadata keys, are GGUF's ("<arch>.block_count",
// "blk.3.ffn_down.weight"); a Hugging Face folder is translated by one table (model/hf). Files are
// mapped and checked once when opened: every count, length and offset lies inside the file, so that
// reading a tensor later needs no more checks. Everything that is wrong is an Error naming the
// file.
//
// The source must outlive the tensors it hands out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/source/metadata.h"
#include "model/source/tensor.h"
#include "model/source/tokenizer_spec.h"

namespace trit {

// The order of the codes in I2_S data. Files do not say which they use; published ones are k128.
enum class I2sOrder {
  k128,   // blocks of 128 weights in 32 bytes (x86 and all published files)
  k64,    // blocks of 64 weights in 16 bytes (written on ARM)
  kRow4,  // one byte holds the same column of four rows
};

// "128", "64", "row4": the values of --i2s-order. Throws an Error that lists them.
I2sOrder ParseI2sOrder(std::string_view text);

struct OpenOptions {
  I2sOrder i2s_order = I2sOrder::k128;
};

struct TensorInfo {
  std::string name;       // GGUF's
  std::string file_name;  // as the file has it
  std::string encoding;   // "i2_s", "f16", ...
  bool ternary = false;   // the encoding can hold trits only
  int64_t rows = 0;       // 1 for vectors
  int64_t cols = 0;
  uint64_t bytes = 0;
};

class ModelSource {
 public:
  virtual ~ModelSource() = default;

  virtual const std::string& path() const = 0;
  // "gguf v3" or "hugging face".
  virtual std::string format() const = 0;
  // general.architecture: "bitnet-b1.58", "bitnet-25", "bitnet", "llama", "qwen3", "gemma3", ...
  const std::string& architecture() const { return metadata().String("general.architecture"); }
  virtual const Metadata& metadata() const = 0;

  // True when the rows of attn_q and attn_k are in rotate-half order whatever the architecture is
  // (Hugging Face folders). False: the architecture's table decides (GGUF "llama" is permuted).
  virtual bool qk_in_rotate_half_order() const = 0;

  // In the file's order.
  virtual const std::vector<TensorInfo>& tensors() const = 0;
  const TensorInfo* FindTensor(std::string_view name) const;  // null when absent

  // Throws an Error that names the tensor when it is absent, or when it is not ternary. A float
  // tensor is ternary when every row is {-s, 0, s}, or (only in a model that says it is BitNet and
  // keeps master weights) after absmean quantisation of the whole tensor.
  virtual std::unique_ptr<TernaryTensor> Ternary(std::string_view name) const = 0;
  // Any tensor as numbers, ternary ones included.
  virtual std::unique_ptr<DenseTensor> Dense(std::string_view name) const = 0;

  // The vocabulary and its rules. Throws when the model has none.
  virtual TokenizerSpec Tokenizer() const = 0;

  // Cheap identity of the files (names, sizes, times, options), for a cache that need not read
  // them.
  virtual std::string Stamp() const = 0;

  // What was decided while opening and should be told once, a sentence each.
  const std::vector<std::string>& notes() const { return notes_; }

 protected:
  mutable std::vector<std::string> notes_;
};

// A GGUF file or a folder with config.json.
std::unique_ptr<ModelSource> OpenModel(const std::string& path, const OpenOptions& options = {});

}  // namespace trit
