// cpp-httplib's server with our own care of connections: a thread for each up to a limit (past it
// an immediate 503), Connection's deadlines and sizes, and an orderly end.
#pragma once

#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>

#include "model/serve/connection.h"

namespace trit::serve {

class HttpServer : public httplib::Server {
 public:
  explicit HttpServer(HttpLimits limits);

  // Binds and sizes the backlog; port 0 takes a free one. Returns the port, throws Error.
  int Bind(const std::string& host, int port);

  // Ends the accept loop (listen_after_bind returns once all connections have ended); idle
  // connections close at once, busy ones after their request.
  void BeginStop();

  int connections() const { return connections_; }
  // Counts what was refused before it became a request.
  std::function<void(int status)> on_refused;

 private:
  bool process_and_close_socket(socket_t sock) override;
  void Converse(Connection* connection);

  class Threads;

  const HttpLimits limits_;
  std::atomic<bool> stop_{false};
  std::atomic<int> connections_{0};
};

}  // namespace trit::serve
