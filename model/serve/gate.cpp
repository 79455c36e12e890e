#include "model/serve/gate.h"

#include <algorithm>

namespace trit::serve {
namespace {

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

// "name:port", "[v6]:port" or either without a port -> the name.
std::string HostName(const std::string& header) {
  if (header.starts_with("[")) return Lower(header.substr(0, header.find(']') + 1));
  return Lower(header.substr(0, header.find(':')));
}

bool IsLoopback(const std::string& name) {
  const bool v4 = name.starts_with("127.") && name.find_first_not_of("0123456789.") == name.npos;
  return v4 || name == "localhost" || name == "[::1]";
}

ApiError Refusal(int status, const char* code, std::string message) {
  return {status, "invalid_request_error", code, std::move(message)};
}

}  // namespace

bool EqualInConstantTime(std::string_view given, std::string_view expected) {
  size_t difference = given.size() ^ expected.size();
  for (size_t i = 0; i < expected.size(); ++i) {
    const char other = given.empty() ? '\0' : given[i % given.size()];
    difference |= static_cast<unsigned char>(other ^ expected[i]);
  }
  return difference == 0;
}

Gate::Gate(GateOptions options, std::span<const Route> routes)
    : options_(std::move(options)), routes_(routes) {}

std::optional<size_t> Gate::KeyOf(const httplib::Request& request) const {
  const std::string header = request.get_header_value("Authorization");
  constexpr std::string_view kScheme = "bearer ";
  if (Lower(header.substr(0, kScheme.size())) != kScheme) return std::nullopt;
  const std::string_view given = std::string_view(header).substr(kScheme.size());
  std::optional<size_t> found;
  for (size_t i = 0; i < options_.api_keys.size(); ++i) {
    if (EqualInConstantTime(given, options_.api_keys[i])) found = i;  // and look at the others too
  }
  return found;
}

std::string Gate::ClientOf(const httplib::Request& request) const {
  std::string address = request.remote_addr;
  if (options_.trust_proxy) {
    const std::string forwarded = request.get_header_value("X-Forwarded-For");
    if (!forwarded.empty()) {
      const size_t comma = forwarded.rfind(',');
      address = comma == std::string::npos ? forwarded : forwarded.substr(comma + 1);
      std::erase(address, ' ');
      address.resize(std::min<size_t>(address.size(), 64));
    }
  }
  const auto key = KeyOf(request);
  return key ? Join("key", *key + 1, "@", address) : address;
}

void Gate::CheckHost(const httplib::Request& request) const {
  if (!options_.loopback_only || !request.has_header("Host")) return;
  const std::string name = HostName(request.get_header_value("Host"));
  const auto& names = options_.allowed_hosts;
  if (IsLoopback(name) || std::find(names.begin(), names.end(), name) != names.end()) return;
  throw Refusal(403, "host_not_allowed",
                Join("This server answers to localhost; the Host header says '",
                     name.substr(0, 100), "' (--allow-host takes more names)."));
}

void Gate::CheckRoute(const httplib::Request& request) const {
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  bool known = false;
  for (const Route& route : routes_) {
    if (request.path != route.path) continue;
    known = true;
    if (method != route.method) continue;
    if (!route.open && !options_.api_keys.empty() && !KeyOf(request)) {
      throw Refusal(401, "invalid_api_key",
                    request.has_header("Authorization")
                        ? "Incorrect API key provided."
                        : "This server asks for an API key: send 'Authorization: Bearer KEY'.");
    }
    return;
  }
  if (known) {
    throw Refusal(405, "method_not_allowed",
                  Join("Not allowed to ", request.method.substr(0, 20), " on ", request.path, "."));
  }
  std::string paths;
  for (const Route& route : routes_) paths += Join(" ", route.method, " ", route.path);
  throw Refusal(404, "unknown_url",
                Join("Unknown request URL: ", request.method.substr(0, 20), " ",
                     request.path.substr(0, 200), ". There are:", paths, "."));
}

void Gate::CheckBody(const httplib::Request& request) const {
  const bool chunked = request.has_header("Transfer-Encoding");
  const size_t lengths = request.get_header_value_count("Content-Length");
  if (request.method != "POST") {
    if (chunked || (lengths > 0 && request.get_header_value("Content-Length") != "0")) {
      throw Refusal(400, "unexpected_body", "Only POST requests may have a body.");
    }
    return;
  }
  if (chunked &&
      (lengths > 0 || Lower(request.get_header_value("Transfer-Encoding")) != "chunked")) {
    throw Refusal(400, "bad_framing", "The body's length is not clear from its headers.");
  }
  if (!chunked && lengths == 0) {
    throw Refusal(411, "length_required", "A POST request needs a Content-Length header.");
  }
  if (lengths > 0) {
    const std::string length = request.get_header_value("Content-Length");
    if (lengths > 1 || length.empty() || length.size() > 18 ||
        length.find_first_not_of("0123456789") != std::string::npos) {
      throw Refusal(400, "bad_framing", "The Content-Length header is not one number.");
    }
    if (std::stoll(length) > options_.max_body_bytes) {
      throw Refusal(413, "body_too_large",
                    Join("The body has ", length, " bytes; this server takes ",
                         options_.max_body_bytes, "."));
    }
  }
  if (request.has_header("Content-Encoding")) {
    throw Refusal(415, "unsupported_encoding", "The body must not be compressed.");
  }
  const std::string type = Lower(request.get_header_value("Content-Type"));
  if (type != "application/json" && !type.starts_with("application/json;")) {
    throw Refusal(415, "unsupported_media_type",
                  "The body must be JSON: send 'Content-Type: application/json'.");
  }
}

std::optional<ApiError> Gate::Check(const httplib::Request& request) const {
  try {
    CheckHost(request);
    CheckRoute(request);
    CheckBody(request);
  } catch (const ApiError& error) {
    return error;
  }
  return std::nullopt;
}

}  // namespace trit::serve
