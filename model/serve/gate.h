// Who may ask what: the checks that need only a request's head, made before its body is read.
#pragma once

#include <httplib.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/serve/api_error.h"

namespace trit::serve {

struct GateOptions {
  std::vector<std::string> api_keys;
  std::vector<std::string> allowed_hosts;
  bool loopback_only = true;  // bound to loopback: Host must name it (no DNS rebinding)
  bool trust_proxy = false;
  int64_t max_body_bytes = 0;
};

// A path that is served, its method, and whether it is open without a key.
struct Route {
  const char* method;
  const char* path;
  bool open;
};

class Gate {
 public:
  Gate(GateOptions options, std::span<const Route> routes);

  // The error to answer with, if any: 400, 401, 403, 404, 405, 411, 413, 415.
  std::optional<ApiError> Check(const httplib::Request& request) const;

  // Key (its number) and address: the client that fairness and the log know.
  std::string ClientOf(const httplib::Request& request) const;

 private:
  std::optional<size_t> KeyOf(const httplib::Request& request) const;
  void CheckHost(const httplib::Request& request) const;
  void CheckRoute(const httplib::Request& request) const;
  void CheckBody(const httplib::Request& request) const;

  const GateOptions options_;
  const std::span<const Route> routes_;
};

// Takes as long for a wrong key as for a right one of the same length.
bool EqualInConstantTime(std::string_view given, std::string_view expected);

}  // namespace trit::serve
