// Reads a request's JSON strictly: a field of the wrong type or out of range, and a field nobody
// asks for, are 400 errors that name it. A null field is an absent one, as OpenAI has it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "model/serve/api_error.h"

namespace trit::serve {

// Parses a body: valid UTF-8 JSON, an object, at most 32 levels deep. Throws ApiError (400).
nlohmann::json ParseBody(std::string_view body);

class Fields {
 public:
  // `path` names the object in messages: "" for the body, "stream_options" for a part of it.
  explicit Fields(const nlohmann::json& object, std::string path = "");

  std::optional<int64_t> Int(const std::string& name, int64_t low, int64_t high);
  std::optional<double> Number(const std::string& name, double low, double high);
  std::optional<bool> Bool(const std::string& name);
  std::optional<std::string> String(const std::string& name);
  // Any type; null when absent. The caller checks it.
  const nlohmann::json* Any(const std::string& name);
  // Known and without effect here.
  void Ignore(std::initializer_list<const char*> names);
  // Known, but asking for it is an error unless the value is one of `harmless`.
  void Unsupported(const std::string& name, std::initializer_list<nlohmann::json> harmless);

  // Throws for the first field nobody read.
  void RejectUnknown() const;

  ApiError Fault(const std::string& name, const std::string& must) const;

 private:
  std::string Path(const std::string& name) const;

  const nlohmann::json& object_;
  std::string path_;
  std::set<std::string> known_;
};

}  // namespace trit::serve
