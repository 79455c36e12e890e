#include "model/source/model_source.h"

#include <filesystem>

#include "model/gguf/gguf_source.h"
#include "model/hf/hf_source.h"
#include "targets/base/error.h"

namespace trit {

I2sOrder ParseI2sOrder(std::string_view text) {
  if (text == "128") return I2sOrder::k128;
  if (text == "64") return I2sOrder::k64;
  if (text == "row4") return I2sOrder::kRow4;
  throw Error(Join("--i2s-order ", text,
                   " is unknown; known are 128 (published files), 64 (written "
                   "on ARM) and row4"));
}

const TensorInfo* ModelSource::FindTensor(std::string_view name) const {
  for (const TensorInfo& info : tensors()) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

std::unique_ptr<ModelSource> OpenModel(const std::string& path, const OpenOptions& options) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw Error(Join("no such file or folder: ", path));
  if (std::filesystem::is_directory(status)) return OpenHf(path, options);
  return OpenGguf(path, options);
}

}  // namespace trit
