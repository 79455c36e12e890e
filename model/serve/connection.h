// One accepted socket as cpp-httplib's Stream, with the limits the library lacks: a deadline for
// the whole head and for the whole body (a byte every few seconds does not hold a thread for
// long), a bound on either's size, and the question whether the peer is still there.
#pragma once

#include <httplib.h>

#include <cstdint>
#include <string>

#include "model/serve/api_error.h"
#include "model/serve/clock.h"

namespace trit::serve {

struct HttpLimits {
  int max_connections = 256;
  int64_t max_body_bytes = 1 << 20;
  int64_t max_head_bytes = 32 << 10;
  int64_t idle_ms = 30'000;   // between requests of a kept connection
  int64_t head_ms = 10'000;   // first byte of a request to the end of its head
  int64_t body_ms = 30'000;   // end of the head to the end of the body
  int64_t write_ms = 20'000;  // without the peer taking a byte
};

class Connection : public httplib::Stream {
 public:
  enum class Head { kComplete, kClosed, kTooSlow, kTooLarge };

  Connection(int fd, const HttpLimits& limits);  // does not own fd

  // Waits for the next request's head and keeps it, with what came after it, for read(). Range
  // headers are dropped: no answer here has ranges. `stop` ends the wait for a first byte.
  Head ReadHead(const std::atomic<bool>& stop);

  // True when the peer closed or reset the connection, or will send nothing more.
  bool PeerGone() const;

  // Waits until `event_fd` is readable, the peer has gone or the time is over.
  enum class Wait { kEvent, kPeerGone, kTimeout };
  Wait WaitFor(int event_fd, int64_t timeout_ms) const;

  // Sends a whole answer without the library, for what never becomes a request.
  void Refuse(const ApiError& error);
  // Says goodbye so that the answer reaches a peer that is still sending: closes our half, takes
  // a bounded amount of what it sends.
  void Linger();

  // The connection of the calling thread, set while a request is handled.
  static Connection*& Current();

  bool over_limit() const { return over_limit_; }  // the body was longer than allowed
  bool too_slow() const { return too_slow_; }      // or did not come in time
  int64_t started_ns = 0;                          // first byte of the request
  bool close_after = false;                        // no further request on this connection
  std::string client;                              // whom the request is from, for the log
  Json note = Json::object();                      // what the log says about the request

  bool is_readable() const override;
  bool is_writable() const override { return !PeerGone(); }
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return fd_; }

 private:
  // Appends what comes to buffer_; false at end, error or deadline.
  bool Receive(int64_t deadline_ns);

  const int fd_;
  const HttpLimits limits_;
  const SteadyClock clock_;
  std::string buffer_;
  size_t taken_ = 0;
  int64_t body_deadline_ns_ = 0;
  int64_t body_bytes_left_ = 0;
  bool over_limit_ = false;
  bool too_slow_ = false;
};

}  // namespace trit::serve
