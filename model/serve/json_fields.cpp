#include "model/serve/json_fields.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace trit::serve {
namespace {

constexpr int kMaxDepth = 32;

// The parser's sentence without its own name and number.
std::string Clean(std::string_view what) {
  const size_t end = what.find("] ");
  return std::string(end == std::string_view::npos ? what : what.substr(end + 2));
}

}  // namespace

nlohmann::json ParseBody(std::string_view body) {
  const auto callback = [](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > kMaxDepth) {
      throw BadRequest(Join("The body is JSON nested deeper than ", kMaxDepth, " levels."));
    }
    return true;
  };
  nlohmann::json json;
  try {
    json = nlohmann::json::parse(body, callback);
  } catch (const nlohmann::json::exception& error) {
    // Long inputs are quoted in the parser's sentence; 300 bytes of it say enough.
    std::string why = Clean(error.what());
    if (why.size() > 300) why.resize(300);
    throw BadRequest(Join("The body is not valid JSON: ", why));
  }
  if (!json.is_object()) {
    throw BadRequest(Join("The body must be a JSON object, not ", json.type_name(), "."));
  }
  return json;
}

Fields::Fields(const nlohmann::json& object, std::string path)
    : object_(object), path_(std::move(path)) {
  if (!object.is_object()) throw BadRequest(Join("'", path_, "' must be an object."), path_);
}

std::string Fields::Path(const std::string& name) const {
  return path_.empty() ? name : Join(path_, ".", name);
}

ApiError Fields::Fault(const std::string& name, const std::string& must) const {
  return BadRequest(Join("'", Path(name), "' must be ", must, "."), Path(name), "invalid_value");
}

const nlohmann::json* Fields::Any(const std::string& name) {
  known_.insert(name);
  const auto at = object_.find(name);
  return at == object_.end() || at->is_null() ? nullptr : &*at;
}

std::optional<int64_t> Fields::Int(const std::string& name, int64_t low, int64_t high) {
  const auto* value = Any(name);
  if (!value) return std::nullopt;
  // 5.0 is how some clients write 5.
  int64_t number = 0;
  bool good = false;
  if (value->is_number_unsigned()) {
    const auto big = value->get<uint64_t>();
    good = big <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    number = good ? static_cast<int64_t>(big) : 0;
  } else if (value->is_number_integer()) {
    good = true;
    number = value->get<int64_t>();
  } else if (value->is_number_float()) {
    const double real = value->get<double>();
    good = std::abs(real) < 1e15 && real == std::floor(real);
    number = good ? static_cast<int64_t>(real) : 0;
  }
  if (!good || number < low || number > high) {
    throw Fault(name, Join("an integer from ", low, " to ", high));
  }
  return number;
}

std::optional<double> Fields::Number(const std::string& name, double low, double high) {
  const auto* value = Any(name);
  if (!value) return std::nullopt;
  const double number = value->is_number() ? value->get<double>() : low - 1;
  if (!(number >= low && number <= high)) {
    throw Fault(name, Join("a number from ", low, " to ", high));
  }
  return number;
}

std::optional<bool> Fields::Bool(const std::string& name) {
  const auto* value = Any(name);
  if (!value) return std::nullopt;
  if (!value->is_boolean()) throw Fault(name, "true or false");
  return value->get<bool>();
}

std::optional<std::string> Fields::String(const std::string& name) {
  const auto* value = Any(name);
  if (!value) return std::nullopt;
  if (!value->is_string()) throw Fault(name, "a string");
  return value->get<std::string>();
}

void Fields::Ignore(std::initializer_list<const char*> names) {
  known_.insert(names.begin(), names.end());
}

void Fields::Unsupported(const std::string& name, std::initializer_list<nlohmann::json> harmless) {
  const auto* value = Any(name);
  if (!value || std::find(harmless.begin(), harmless.end(), *value) != harmless.end()) return;
  throw BadRequest(Join("This server does not support '", Path(name), "'."), Path(name),
                   "unsupported_parameter");
}

void Fields::RejectUnknown() const {
  for (const auto& [name, value] : object_.items()) {
    if (known_.contains(name)) continue;
    std::string shown = name.substr(0, 100);
    throw BadRequest(Join("Unknown field '", Path(shown), "'."), Path(shown), "unknown_parameter");
  }
}

}  // namespace trit::serve
