#include "model/gguf/gguf_source.h"

#include <cmath>
#include <unordered_map>

#include "model/gguf/gguf_file.h"
#include "model/gguf/gguf_tokenizer.h"
#include "model/source/mapped_file.h"
#include "model/source/tensor_views.h"
#include "targets/base/error.h"

namespace trit {
namespace {

const char* OrderName(I2sOrder order) {
  switch (order) {
    case I2sOrder::k64:
      return "64";
    case I2sOrder::kRow4:
      return "row4";
    case I2sOrder::k128:
      break;
  }
  return "128";
}

class GgufSource : public ModelSource {
 public:
  GgufSource(const std::string& path, const OpenOptions& options)
      : mapped_(MappedFile::Open(path)),
        stamp_(mapped_->stamp() + ":" + OrderName(options.i2s_order)),
        file_(ParseGguf(mapped_->bytes(), path, OrderName(options.i2s_order))) {
    for (size_t i = 0; i < file_.tensors.size(); ++i) {
      const GgufTensor& tensor = file_.tensors[i];
      index_[tensor.name] = i;
      infos_.push_back({tensor.name, tensor.name,
                        tensor.ternary != nullptr ? tensor.ternary->name : tensor.dense->name,
                        tensor.ternary != nullptr, tensor.rows, tensor.cols, tensor.bytes});
    }
    if (options.i2s_order != I2sOrder::k128) {
      notes_.push_back(
          Join("I2_S data is read in the order ", OrderName(options.i2s_order), ", as asked for"));
    }
  }

  const std::string& path() const override { return mapped_->path(); }
  std::string format() const override { return Join("gguf v", file_.version); }
  const Metadata& metadata() const override { return file_.metadata; }
  bool qk_in_rotate_half_order() const override { return false; }
  const std::vector<TensorInfo>& tensors() const override { return infos_; }
  std::string Stamp() const override { return stamp_; }

  std::unique_ptr<TernaryTensor> Ternary(std::string_view name) const override {
    const GgufTensor& tensor = Need(name);
    const float factor = CompanionScale(name);
    if (tensor.ternary != nullptr) {
      return MakeEncodedTernary(tensor.name, *tensor.ternary, Bytes(tensor), tensor.rows,
                                tensor.cols, factor);
    }
    return MakeFloatTernary(tensor.name, Dense(name), /*absmean=*/false, factor);
  }

  std::unique_ptr<DenseTensor> Dense(std::string_view name) const override {
    const GgufTensor& tensor = Need(name);
    if (tensor.ternary != nullptr) return MakeTernaryAsDense(Ternary(name));
    return MakeDense(tensor.name, *tensor.dense, Bytes(tensor), tensor.rows, tensor.cols);
  }

  TokenizerSpec Tokenizer() const override { return ReadGgufTokenizer(file_.metadata, &notes_); }

 private:
  const GgufTensor& Need(std::string_view name) const {
    const auto found = index_.find(std::string(name));
    if (found == index_.end()) {
      throw Error(Join(path(), ": the tensor ", name, " is missing (the file has ",
                       file_.tensors.size(), " tensors)"));
    }
    return file_.tensors[found->second];
  }

  FileBytes Bytes(const GgufTensor& tensor) const {
    return {mapped_->bytes().subspan(tensor.offset, tensor.bytes), mapped_.get()};
  }

  // "blk.0.attn_q.scale" beside "blk.0.attn_q.weight": one more factor.
  float CompanionScale(std::string_view name) const {
    constexpr std::string_view kWeight = ".weight";
    if (!name.ends_with(kWeight)) return 1.0f;
    const std::string beside = std::string(name.substr(0, name.size() - kWeight.size())) + ".scale";
    if (!index_.contains(beside)) return 1.0f;
    const auto scale = Dense(beside);
    if (scale->rows() * scale->cols() != 1) {
      throw Error(Join(path(), ": the tensor ", beside, " should hold one number"));
    }
    float value = 0;
    scale->ReadRowsF32(0, 1, &value);
    if (!std::isfinite(value)) {
      throw Error(Join(path(), ": the tensor ", beside, " holds no finite number"));
    }
    return value;
  }

  std::shared_ptr<const MappedFile> mapped_;
  std::string stamp_;
  GgufFile file_;
  std::vector<TensorInfo> infos_;
  std::unordered_map<std::string, size_t> index_;
};

}  // namespace

std::unique_ptr<ModelSource> OpenGguf(const std::string& path, const OpenOptions& options) {
  return std::make_unique<GgufSource>(path, options);
}

}  // namespace trit
