#include "model/serve/http_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <system_error>
#include <thread>

namespace trit::serve {
namespace {

// Set while the accept thread itself runs a connection that is one too many.
thread_local bool one_too_many = false;

}  // namespace

// A thread a connection: an answer takes seconds and mostly waits, so threads are cheap beside it.
class HttpServer::Threads : public httplib::TaskQueue {
 public:
  explicit Threads(int limit) : limit_(limit) {}

  void enqueue(std::function<void()> fn) override {
    {
      const std::lock_guard lock(mutex_);
      if (count_ < limit_) {
        try {
          std::thread([this, fn] {
            fn();
            const std::lock_guard lock(mutex_);
            --count_;
            ended_.notify_all();
          }).detach();
          ++count_;
          return;
        } catch (const std::system_error&) {
          // No thread to be had: refuse as if the limit were reached.
        }
      }
    }
    one_too_many = true;
    fn();
    one_too_many = false;
  }

  void shutdown() override {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return count_ == 0; });
  }

 private:
  const int limit_;
  std::mutex mutex_;
  std::condition_variable ended_;
  int count_ = 0;
};

HttpServer::HttpServer(HttpLimits limits) : limits_(limits) {
  new_task_queue = [this] { return new Threads(limits_.max_connections); };
  set_payload_max_length(static_cast<size_t>(limits_.max_body_bytes));
  set_tcp_nodelay(true);
}

int HttpServer::Bind(const std::string& host, int port) {
  const int bound = port == 0 ? bind_to_any_port(host) : bind_to_port(host, port) ? port : -1;
  if (bound <= 0) {
    throw Error(Join("cannot listen on ", host, " port ", port,
                     ": the address is not this machine's, or the port is taken or forbidden"));
  }
  // The library's backlog is 5: a burst of connects would wait a second for its retry.
  ::listen(svr_sock_, 511);
  return bound;
}

void HttpServer::BeginStop() {
  stop_ = true;
  // Not the library's stop(): after it, an answer whose first chunk is not written yet is cut to
  // its head, even where the sequence behind it may still finish. A listening socket that is shut
  // down makes accept() fail, and the accept loop closes it and ends.
  ::shutdown(svr_sock_, SHUT_RDWR);
}

bool HttpServer::process_and_close_socket(socket_t sock) {
  Connection connection(sock, limits_);
  if (one_too_many) {
    connection.Refuse(Unavailable("Too many connections are open.", "too_many_connections"));
    if (on_refused) on_refused(503);
    ::shutdown(sock, SHUT_WR);
    close(sock);
    return true;
  }
  ++connections_;
  Converse(&connection);
  --connections_;
  close(sock);
  return true;
}

void HttpServer::Converse(Connection* connection) {
  const auto refuse = [&](int status, const char* code, const char* message) {
    connection->Refuse(ApiError(status, "invalid_request_error", code, message));
    if (on_refused) on_refused(status);
    connection->Linger();
  };
  while (!connection->close_after) {
    switch (connection->ReadHead(stop_)) {
      case Connection::Head::kClosed:
        return;
      case Connection::Head::kTooSlow:
        refuse(408, "request_timeout", "The request's head took too long to arrive.");
        return;
      case Connection::Head::kTooLarge:
        refuse(431, "head_too_large", "The request's head is too large.");
        return;
      case Connection::Head::kComplete:
        break;
    }
    bool closed = false;
    Connection::Current() = connection;
    const bool good = process_request(*connection, stop_, closed, [](httplib::Request&) {});
    Connection::Current() = nullptr;
    if (!good || closed || stop_) break;
  }
  connection->Linger();
}

}  // namespace trit::serve
