// trit serve: the engine behind HTTP. Construct, Start, and Shutdown when told to.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "model/serve/api_request.h"
#include "model/serve/connection.h"
#include "model/serve/engine.h"
#include "model/serve/log.h"
#include "model/serve/scheduler.h"

namespace trit::serve {

struct ServerOptions {
  std::string host = "127.0.0.1";
  int port = 8080;
  HttpLimits http;
  SchedulerLimits scheduler;
  RequestLimits request;
  std::vector<std::string> api_keys;       // empty: open to whoever reaches the port
  std::vector<std::string> cors_origins;   // empty: none; "*": any
  std::vector<std::string> allowed_hosts;  // Host names taken besides this machine's loopback ones
  bool trust_proxy = false;                // the client's address is X-Forwarded-For's last
  bool page = true;
  int64_t shutdown_ms = 30'000;            // how long running answers may go on after Shutdown
  int64_t keep_alive_comment_ms = 15'000;  // a comment on a silent stream, for proxies
};

class Server {
 public:
  // Engine and log must outlive the server.
  Server(Engine* engine, ServerOptions options, Log* log);
  ~Server();

  // Measures the engine, binds, starts serving; returns the port. Throws Error.
  int Start();

  // Refuses new work, lets running answers end, cuts them at the deadline, returns when all
  // connections are closed. `hurry`, when set meanwhile, cuts at once.
  void Shutdown(const std::atomic<bool>* hurry = nullptr);

  SchedulerStats Stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trit::serve
