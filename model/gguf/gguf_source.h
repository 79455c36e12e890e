// A GGUF file as a ModelSource.
#pragma once

#include <memory>
#include <string>

#include "model/source/model_source.h"

namespace trit {

std::unique_ptr<ModelSource> OpenGguf(const std::string& path, const OpenOptions& options);

}  // namespace trit
