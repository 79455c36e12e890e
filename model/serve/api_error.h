// A refusal as OpenAI words it: an HTTP status and {"error": {message, type, param, code}}.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "targets/base/error.h"

namespace trit::serve {

using Json = nlohmann::ordered_json;  // bodies are written in the order they are documented

class ApiError : public Error {
 public:
  ApiError(int status, std::string type, std::string code, std::string message,
           std::string param = "");
  // The sentence is copied, not shared: errors go from the engine's thread to a connection's, and
  // the standard library's shared one is counted where the thread sanitizer does not see it.
  ApiError(const ApiError& other);
  ApiError& operator=(const ApiError&) = default;

  int status() const { return status_; }
  Json Body() const;

 private:
  int status_;
  std::string type_;
  std::string code_;   // empty: null
  std::string param_;  // empty: null
};

// The request itself is at fault: 400 invalid_request_error.
ApiError BadRequest(std::string message, std::string param = "", std::string code = "");
// The server cannot take it now: 503.
ApiError Unavailable(std::string message, std::string code = "unavailable");

// One line, invalid UTF-8 replaced, never throws on content.
std::string Dump(const Json& json);

}  // namespace trit::serve
