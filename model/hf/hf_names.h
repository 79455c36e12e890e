// Hugging Face's tensor names -> GGUF's, one table per architecture.
#pragma once

#include <string>
#include <string_view>

namespace trit {

// GGUF's name; "" for a tensor that is no parameter (rotary tables). Throws an Error naming
// `architecture` and the tensor when it is unknown.
std::string GgufTensorName(std::string_view architecture, std::string_view hf_name,
                           const std::string& origin);

}  // namespace trit
