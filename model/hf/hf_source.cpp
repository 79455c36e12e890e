#include "model/hf/hf_source.h"

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

#include "model/encoding/encoding.h"
#include "model/hf/hf_config.h"
#include "model/hf/hf_names.h"
#include "model/hf/hf_tokenizer.h"
#include "model/hf/safetensors.h"
#include "model/source/mapped_file.h"
#include "model/source/tensor_views.h"
#include "targets/base/error.h"

namespace trit {
namespace {

constexpr uint64_t kMaxJsonBytes = 16u << 20;

// model.safetensors, or the shards that model.safetensors.index.json names.
std::vector<std::string> TensorFiles(const std::filesystem::path& folder) {
  const auto single = folder / "model.safetensors";
  const auto index = folder / "model.safetensors.index.json";
  if (std::filesystem::exists(single)) return {single.string()};
  if (!std::filesystem::exists(index)) {
    throw Error(Join(folder.string(),
                     " has neither model.safetensors nor "
                     "model.safetensors.index.json"));
  }
  std::set<std::string> names;
  try {
    const auto json = nlohmann::json::parse(ReadSmallFile(index.string(), kMaxJsonBytes));
    for (const auto& [tensor, file] : json.at("weight_map").items()) {
      names.insert(file.get<std::string>());
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(Join(index.string(), " is not as it should be: ", error.what()));
  }
  std::vector<std::string> out;
  for (const std::string& name : names) {
    // A shard lies in the folder: no path may lead out of it.
    if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..") {
      throw Error(Join(index.string(), " names the file \"", name, "\", no plain file name"));
    }
    out.push_back((folder / name).string());
  }
  return out;
}

struct Entry {
  SafeTensor tensor;
  const MappedFile* file;
  std::string gguf_name;
};

const DenseEncoding* DenseOf(const std::string& dtype) {
  if (dtype == "F32") return FindDenseEncoding("f32");
  if (dtype == "F16") return FindDenseEncoding("f16");
  if (dtype == "BF16") return FindDenseEncoding("bf16");
  return nullptr;
}

class HfSource : public ModelSource {
 public:
  explicit HfSource(const std::string& folder) : folder_(folder) {
    const std::filesystem::path path(folder);
    const std::string config_path = (path / "config.json").string();
    if (!std::filesystem::exists(config_path)) {
      throw Error(Join(folder, " is no Hugging Face model folder: it has no config.json"));
    }
    config_ = ParseHfConfig(ReadSmallFile(config_path, kMaxJsonBytes), config_path);
    notes_ = config_.notes;
    stamp_ = MappedFile::Open(config_path)->stamp();
    for (const std::string& file : TensorFiles(path)) {
      files_.push_back(MappedFile::Open(file));
      stamp_ += ";" + files_.back()->stamp();
      for (SafeTensor& tensor : ParseSafetensors(files_.back()->bytes(), file)) {
        AddTensor(std::move(tensor), *files_.back());
      }
    }
    if (!index_.contains("token_embd.weight")) {
      throw Error(Join(folder, ": the tensor model.embed_tokens.weight is missing"));
    }
    if (!config_.tied_head.value_or(true) && !index_.contains("output.weight")) {
      throw Error(Join(folder, ": tie_word_embeddings is false, but lm_head.weight is missing"));
    }
  }

  const std::string& path() const override { return folder_; }
  std::string format() const override { return "hugging face"; }
  const Metadata& metadata() const override { return config_.metadata; }
  bool qk_in_rotate_half_order() const override { return true; }
  const std::vector<TensorInfo>& tensors() const override { return infos_; }
  std::string Stamp() const override { return stamp_; }

  std::unique_ptr<TernaryTensor> Ternary(std::string_view name) const override {
    const Entry& entry = Need(name);
    if (entry.tensor.dtype == "U8") {
      const int64_t n = entry.tensor.shape[0] * 4, k = entry.tensor.shape[1];
      return MakeHfPackedTernary(entry.gguf_name, Bytes(entry), n, k, PackedScales(entry, n, k));
    }
    return MakeFloatTernary(entry.gguf_name, Dense(name), config_.bitnet && !packed_, 1.0f);
  }

  std::unique_ptr<DenseTensor> Dense(std::string_view name) const override {
    const Entry& entry = Need(name);
    if (entry.tensor.dtype == "U8") return MakeTernaryAsDense(Ternary(name));
    const TensorInfo& info = *FindTensor(name);
    return MakeDense(entry.gguf_name, *DenseOf(entry.tensor.dtype), Bytes(entry), info.rows,
                     info.cols);
  }

  TokenizerSpec Tokenizer() const override {
    return ReadHfTokenizer(folder_, config_.metadata.U32(architecture() + ".vocab_size"), &notes_);
  }

 private:
  static FileBytes Bytes(const Entry& entry) {
    return {entry.file->bytes().subspan(entry.tensor.offset, entry.tensor.bytes), entry.file};
  }

  void AddTensor(SafeTensor tensor, const MappedFile& file) {
    const std::string suffix = ".weight_scale";
    if (tensor.name.ends_with(suffix)) {
      const std::string base = tensor.name.substr(0, tensor.name.size() - suffix.size());
      scales_[base] = {std::move(tensor), &file, ""};
      return;
    }
    Entry entry{tensor, &file, GgufTensorName(config_.architecture, tensor.name, file.path())};
    if (entry.gguf_name.empty()) return;
    if (config_.tied_head.value_or(false) && entry.gguf_name == "output.weight") {
      notes_.push_back("the head is tied to the embedding: lm_head.weight is not used");
      return;
    }
    const auto& shape = tensor.shape;
    if (shape.empty() || shape.size() > 2 || tensor.bytes == 0) {
      throw Error(
          Join(file.path(), ": the tensor ", tensor.name, " is neither a vector nor a matrix"));
    }
    TensorInfo info;
    info.name = entry.gguf_name;
    info.file_name = tensor.name;
    info.rows = shape.size() == 2 ? shape[0] : 1;
    info.cols = shape.back();
    info.bytes = tensor.bytes;
    if (tensor.dtype == "U8") {
      if (shape.size() != 2) {
        throw Error(Join(file.path(), ": the packed tensor ", tensor.name, " is no matrix"));
      }
      info.encoding = "packed uint8";
      info.ternary = true;
      info.rows *= 4;
      packed_ = true;
    } else if (const DenseEncoding* dense = DenseOf(tensor.dtype)) {
      info.encoding = dense->name;
    } else {
      throw Error(Join(file.path(), ": the tensor ", tensor.name, " has the type ", tensor.dtype,
                       "; F32, F16, BF16 and packed U8 are read"));
    }
    if (!index_.emplace(entry.gguf_name, entries_.size()).second) {
      throw Error(Join(file.path(), ": the tensor ", tensor.name, " appears twice"));
    }
    entries_.push_back(std::move(entry));
    infos_.push_back(std::move(info));
  }

  const Entry& Need(std::string_view name) const {
    const auto found = index_.find(std::string(name));
    if (found == index_.end()) {
      throw Error(Join(folder_, ": the tensor ", name, " is missing (the model has ",
                       entries_.size(), " tensors)"));
    }
    return entries_[found->second];
  }

  // The trap: "autobitlinear" multiplies by weight_scale, "bitlinear" divides by it.
  TernaryScales PackedScales(const Entry& entry, int64_t n, int64_t k) const {
    const std::string& weight = entry.tensor.name;
    const std::string base = weight.substr(0, weight.size() - std::string(".weight").size());
    const auto found = scales_.find(base);
    if (found == scales_.end()) {
      throw Error(Join(folder_, ": the packed tensor ", weight, " has no ", base, ".weight_scale"));
    }
    const Entry& scale = found->second;
    const DenseEncoding* encoding = DenseOf(scale.tensor.dtype);
    const int64_t count =
        encoding == nullptr ? 0 : static_cast<int64_t>(scale.tensor.bytes / encoding->block_bytes);
    if (count < 1 || n % count != 0) {
      throw Error(Join(folder_, ": ", scale.tensor.name,
                       " should hold one number, or one for each "
                       "of equal runs of ",
                       n, " rows"));
    }
    TernaryScales scales{n / count, k, std::vector<float>(static_cast<size_t>(count))};
    encoding->read(Bytes(scale).bytes.data(), static_cast<uint64_t>(count), scales.values.data());
    for (float& value : scales.values) {
      if (!config_.scale_multiplies) value = 1.0f / value;
      if (!std::isfinite(value)) {
        throw Error(Join(folder_, ": ", scale.tensor.name, " gives a scale that is not finite"));
      }
    }
    return scales;
  }

  std::string folder_, stamp_;
  HfConfig config_;
  bool packed_ = false;
  std::vector<std::shared_ptr<const MappedFile>> files_;
  std::vector<Entry> entries_;
  std::vector<TensorInfo> infos_;
  std::unordered_map<std::string, size_t> index_;
  std::unordered_map<std::string, Entry> scales_;
};

}  // namespace

std::unique_ptr<ModelSource> OpenHf(const std::string& folder, const OpenOptions&) {
  return std::make_unique<HfSource>(folder);
}

}  // namespace trit
