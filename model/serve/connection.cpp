#include "model/serve/connection.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace trit::serve {
namespace {

// Chunk framing may add to a body of the largest size: 64 KiB on top are forgiven here, the exact
// limit is checked on the body itself.
constexpr int64_t kFramingBytes = 64 << 10;

bool StartsWithNoCase(std::string_view text, std::string_view lower) {
  return text.size() >= lower.size() &&
         std::equal(lower.begin(), lower.end(), text.begin(), [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
         });
}

void Endpoint(const sockaddr_storage& address, std::string* ip, int* port) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    *port = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    *port = ntohs(v6.sin6_port);
  }
  *ip = text;
}

}  // namespace

Connection::Connection(int fd, const HttpLimits& limits) : fd_(fd), limits_(limits) {}

Connection*& Connection::Current() {
  static thread_local Connection* current = nullptr;
  return current;
}

bool Connection::Receive(int64_t deadline_ns) {
  while (true) {
    const int64_t left_ms = (deadline_ns - clock_.NowNs()) / kNsPerMs;
    if (left_ms <= 0) {
      too_slow_ = true;
      return false;
    }
    pollfd entry{fd_, POLLIN, 0};
    const int ready = poll(&entry, 1, static_cast<int>(std::min<int64_t>(left_ms, 1 << 30)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return false;
    if (ready == 0) continue;
    char piece[16384];
    const ssize_t got = recv(fd_, piece, sizeof(piece), MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) continue;
    if (got <= 0) return false;
    buffer_.append(piece, static_cast<size_t>(got));
    return true;
  }
}

Connection::Head Connection::ReadHead(const std::atomic<bool>& stop) {
  buffer_.erase(0, taken_);
  taken_ = 0;
  over_limit_ = too_slow_ = false;
  client.clear();
  note = Json::object();

  const int64_t idle_until = clock_.NowNs() + limits_.idle_ms * kNsPerMs;
  while (buffer_.empty()) {
    if (stop || clock_.NowNs() >= idle_until) return Head::kClosed;
    pollfd entry{fd_, POLLIN, 0};
    if (poll(&entry, 1, 200) == 0) continue;  // 200 ms: how late a stop is seen
    if (!Receive(clock_.NowNs() + kNsPerSecond)) return Head::kClosed;
  }
  started_ns = clock_.NowNs();
  const int64_t deadline = started_ns + limits_.head_ms * kNsPerMs;
  size_t end;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (static_cast<int64_t>(buffer_.size()) > limits_.max_head_bytes) return Head::kTooLarge;
    if (!Receive(deadline)) return too_slow_ ? Head::kTooSlow : Head::kClosed;
  }
  if (static_cast<int64_t>(end) > limits_.max_head_bytes) return Head::kTooLarge;
  for (size_t line = buffer_.find("\r\n"); line < end;) {
    const size_t next = buffer_.find("\r\n", line + 2);
    if (StartsWithNoCase(std::string_view(buffer_).substr(line + 2), "range:")) {
      buffer_.erase(line, next - line);
      end -= next - line;
    } else {
      line = next;
    }
  }
  body_deadline_ns_ = clock_.NowNs() + limits_.body_ms * kNsPerMs;
  body_bytes_left_ = limits_.max_body_bytes + kFramingBytes + static_cast<int64_t>(end);
  return Head::kComplete;
}

bool Connection::PeerGone() const {
  pollfd entry{fd_, POLLRDHUP, 0};
  return poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL));
}

Connection::Wait Connection::WaitFor(int event_fd, int64_t timeout_ms) const {
  pollfd entries[2] = {{event_fd, POLLIN, 0}, {fd_, POLLRDHUP, 0}};
  const int ready = poll(entries, 2, static_cast<int>(timeout_ms));
  if (ready > 0 && entries[1].revents) return Wait::kPeerGone;
  if (ready > 0 && entries[0].revents) return Wait::kEvent;
  return Wait::kTimeout;
}

bool Connection::is_readable() const {
  if (taken_ < buffer_.size()) return true;
  pollfd entry{fd_, POLLIN, 0};
  return poll(&entry, 1, 0) > 0;
}

ssize_t Connection::read(char* to, size_t size) {
  if (body_bytes_left_ <= 0) {
    over_limit_ = true;
    return -1;
  }
  if (taken_ == buffer_.size()) {
    buffer_.clear();
    taken_ = 0;
    if (!Receive(body_deadline_ns_)) return too_slow_ ? -1 : 0;
  }
  const size_t count =
      std::min({size, buffer_.size() - taken_, static_cast<size_t>(body_bytes_left_)});
  std::memcpy(to, buffer_.data() + taken_, count);
  taken_ += count;
  body_bytes_left_ -= static_cast<int64_t>(count);
  return static_cast<ssize_t>(count);
}

ssize_t Connection::write(const char* from, size_t size) {
  const int64_t deadline = clock_.NowNs() + limits_.write_ms * kNsPerMs;
  while (true) {
    const ssize_t sent = send(fd_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return sent;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
    const int64_t left_ms = (deadline - clock_.NowNs()) / kNsPerMs;
    if (left_ms <= 0) return -1;
    pollfd entry{fd_, POLLOUT, 0};
    poll(&entry, 1, static_cast<int>(left_ms));
    if (entry.revents & (POLLERR | POLLHUP)) return -1;
  }
}

void Connection::Refuse(const ApiError& error) {
  const std::string body = Dump(error.Body());
  const char* reason = error.status() == 408   ? "Request Timeout"
                       : error.status() == 431 ? "Request Header Fields Too Large"
                                               : "Service Unavailable";
  std::string answer = Join("HTTP/1.1 ", error.status(), " ", reason,
                            "\r\nContent-Type: application/json\r\nConnection: close\r\n");
  if (error.status() == 503) answer += "Retry-After: 2\r\n";
  answer += Join("Content-Length: ", body.size(), "\r\n\r\n", body);
  // A few hundred bytes fit any fresh socket's buffer; who does not take them gets nothing.
  send(fd_, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Connection::Linger() {
  shutdown(fd_, SHUT_WR);
  const int64_t deadline = clock_.NowNs() + kNsPerSecond;
  int64_t left = 4 << 20;
  while (left > 0 && clock_.NowNs() < deadline) {
    pollfd entry{fd_, POLLIN, 0};
    if (poll(&entry, 1, 100) == 0) continue;
    char piece[16384];
    const ssize_t got = recv(fd_, piece, sizeof(piece), MSG_DONTWAIT);
    if (got <= 0) return;
    left -= got;
  }
}

void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getpeername(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    Endpoint(address, &ip, &port);
  }
}

void Connection::get_local_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0) {
    Endpoint(address, &ip, &port);
  }
}

}  // namespace trit::serve
