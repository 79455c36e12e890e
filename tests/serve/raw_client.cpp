#include "tests/serve/raw_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "targets/base/error.h"

namespace trit::serve {

nlohmann::json RawAnswer::Json() const {
  return nlohmann::json::parse(body, nullptr, false);
}

std::vector<std::string> RawAnswer::Events() const {
  std::vector<std::string> events;
  constexpr std::string_view kData = "data: ";
  for (size_t at = 0; at < body.size();) {
    const size_t end = body.find("\n\n", at);
    if (end == std::string::npos) break;
    const auto line = std::string_view(body).substr(at, end - at);
    if (line.starts_with(kData)) events.emplace_back(line.substr(kData.size()));
    at = end + 2;
  }
  return events;
}

RawClient::RawClient(int port, int receive_buffer) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  if (receive_buffer) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    close(fd_);
    fd_ = -1;
  }
}

RawClient::~RawClient() {
  Close();
}

void RawClient::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string RawClient::ReceiveSome(size_t limit, int timeout_ms) {
  pollfd entry{fd_, POLLIN, 0};
  if (poll(&entry, 1, timeout_ms) <= 0) return "";
  std::string piece(limit, '\0');
  const ssize_t got = recv(fd_, piece.data(), limit, 0);
  piece.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return piece;
}

RawAnswer RawClient::Receive(int timeout_ms) {
  RawAnswer answer;
  const auto more = [&] {
    const std::string piece = ReceiveSome(1 << 16, timeout_ms);
    buffer_ += piece;
    return !piece.empty();
  };
  while (true) {
    size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return answer;
    }
    answer.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    answer.status = std::atoi(answer.head.c_str() + answer.head.find(' '));
    if (answer.status != 100) break;
  }
  const auto header = [&](const char* name) -> std::string {
    const size_t at = answer.head.find(name);
    if (at == std::string::npos) return "";
    const size_t from = at + std::string_view(name).size();
    return answer.head.substr(from, answer.head.find("\r\n", from) - from);
  };
  if (!header("Transfer-Encoding: ").empty()) {
    while (true) {
      size_t line;
      while ((line = buffer_.find("\r\n")) == std::string::npos) {
        if (!more()) return answer;
      }
      const size_t size = std::strtoul(buffer_.c_str(), nullptr, 16);
      while (buffer_.size() < line + 2 + size + 2) {
        if (!more()) return answer;
      }
      answer.body += buffer_.substr(line + 2, size);
      buffer_.erase(0, line + 2 + size + 2);
      if (size == 0) break;
    }
    answer.complete = true;
    return answer;
  }
  const std::string length = header("Content-Length: ");
  if (length.empty()) {
    while (more()) {
    }
    answer.body = std::move(buffer_);
    answer.complete = true;
    return answer;
  }
  const size_t size = std::strtoul(length.c_str(), nullptr, 10);
  while (buffer_.size() < size) {
    if (!more()) break;
  }
  answer.complete = buffer_.size() >= size;
  answer.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return answer;
}

void RawClient::Reset() {
  const linger hard{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  Close();
}

std::string PostText(std::string_view path, std::string_view body, std::string_view headers) {
  return Join("POST ", path, " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n",
              headers, "Content-Length: ", body.size(), "\r\n\r\n", body);
}

RawAnswer Post(int port, std::string_view path, std::string_view body, std::string_view headers) {
  RawClient client(port);
  client.Send(PostText(path, body, headers));
  return client.Receive();
}

RawAnswer Get(int port, std::string_view path, std::string_view headers) {
  RawClient client(port);
  client.Send(Join("GET ", path, " HTTP/1.1\r\nHost: localhost\r\n", headers, "\r\n"));
  return client.Receive();
}

}  // namespace trit::serve
