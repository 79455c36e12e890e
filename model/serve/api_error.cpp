#include "model/serve/api_error.h"

namespace trit::serve {

ApiError::ApiError(int status, std::string type, std::string code, std::string message,
                   std::string param)
    : Error(std::move(message)),
      status_(status),
      type_(std::move(type)),
      code_(std::move(code)),
      param_(std::move(param)) {}

ApiError::ApiError(const ApiError& other)
    : Error(std::string(other.what())),
      status_(other.status_),
      type_(other.type_),
      code_(other.code_),
      param_(other.param_) {}

Json ApiError::Body() const {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? Json(nullptr) : Json(text);
  };
  return {{"error",
           {{"message", what()},
            {"type", type_},
            {"param", text_or_null(param_)},
            {"code", text_or_null(code_)}}}};
}

ApiError BadRequest(std::string message, std::string param, std::string code) {
  return {400, "invalid_request_error", std::move(code), std::move(message), std::move(param)};
}

ApiError Unavailable(std::string message, std::string code) {
  return {503, "server_error", std::move(code), std::move(message)};
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace trit::serve
