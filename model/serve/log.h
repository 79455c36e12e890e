// Structured lines on stderr: one JSON object a line, or "key=value" text for people. Never holds
// prompts, answers or keys.
#pragma once

#include <cstdio>
#include <mutex>
#include <string_view>

#include "model/serve/api_error.h"

namespace trit::serve {

class Log {
 public:
  enum class Form { kText, kJson, kOff };
  explicit Log(Form form, std::FILE* out = stderr) : form_(form), out_(out) {}

  // `fields` is an object; time and event name are put before it.
  void Write(std::string_view event, const Json& fields);

 private:
  const Form form_;
  std::FILE* const out_;
  std::mutex mutex_;
};

}  // namespace trit::serve
