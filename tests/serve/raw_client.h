// A client that sends exactly the bytes it is told to: a socket, nothing between.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace trit::serve {

struct RawAnswer {
  int status = 0;  // 0: no answer
  std::string head;
  std::string body;       // chunks joined
  bool complete = false;  // as long as its head said, or up to the last chunk

  nlohmann::json Json() const;              // discarded (is_discarded()) when it is none
  std::vector<std::string> Events() const;  // of "data: …" lines
};

class RawClient {
 public:
  explicit RawClient(int port, int receive_buffer = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return fd_ >= 0; }
  bool Send(std::string_view bytes);
  // One answer; waits at most that long for each next piece.
  RawAnswer Receive(int timeout_ms = 60'000);
  std::string ReceiveSome(size_t limit, int timeout_ms);
  void Close();
  void Reset();  // closes with RST

 private:
  int fd_ = -1;
  std::string buffer_;
};

std::string PostText(std::string_view path, std::string_view body, std::string_view headers = "");
RawAnswer Post(int port, std::string_view path, std::string_view body,
               std::string_view headers = "");
RawAnswer Get(int port, std::string_view path, std::string_view headers = "");

}  // namespace trit::serve
