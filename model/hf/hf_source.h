// A Hugging Face folder (config.json, *.safetensors, tokenizer files) as a ModelSource.
#pragma once

#include <memory>
#include <string>

#include "model/source/model_source.h"

namespace trit {

std::unique_ptr<ModelSource> OpenHf(const std::string& folder, const OpenOptions& options);

}  // namespace trit
