// A whole server on a free port, with the fake engine taking real (short) time.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "model/serve/server.h"
#include "tests/serve/fake_engine.h"
#include "tests/serve/raw_client.h"

namespace trit::serve {

inline FakeOptions FastEngine() {
  FakeOptions options;
  options.real_time = true;
  options.flat_ns = 200'000;
  options.per_row_ns = 1'000;
  options.context = 2048;
  return options;
}

class ServerTest : public ::testing::Test {
 protected:
  // The HTTP library comes compiled: its function-local constants are made under a guard that the
  // thread sanitizer does not see. They are made here, before any two threads can want them.
  static void SetUpTestSuite() {
#if defined(__SANITIZE_THREAD__)
    Log log(Log::Form::kOff);
    VirtualClock clock;
    FakeEngine engine(FastEngine(), &clock);
    ServerOptions options;
    options.port = 0;
    Server server(&engine, options, &log);
    const int port = server.Start();
    for (const char* more : {"", ",\"stream\":true"}) {
      Post(port, "/v1/completions", Join(R"({"prompt":"x","max_tokens":2)", more, "}"));
    }
    Get(port, "/health");
    RawClient client(port);
    client.Send("nonsense\r\n\r\n");
    client.Receive();
#endif
  }

  void Serve(ServerOptions options = {}, FakeOptions engine = FastEngine()) {
    server_.reset();
    engine_ = std::make_unique<FakeEngine>(engine, &clock_);
    options.port = 0;
    server_ = std::make_unique<Server>(engine_.get(), options, &log_);
    port_ = server_->Start();
  }
  // Waits for a state that follows soon from what has happened already.
  template <typename Condition>
  bool Soon(Condition condition, int seconds = 60) {
    for (int i = 0; i < seconds * 200; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  bool AllQuiet() {
    return Soon([&] {
      const SchedulerStats stats = server_->Stats();
      return stats.running == 0 && stats.waiting == 0;
    });
  }
  RawAnswer Chat(const std::string& fields) {
    return Post(port_, "/v1/chat/completions",
                R"({"messages":[{"role":"user","content":"hi"}])" +
                    (fields.empty() ? "" : "," + fields) + "}");
  }

  Log log_{Log::Form::kOff};
  VirtualClock clock_;
  std::unique_ptr<FakeEngine> engine_;
  std::unique_ptr<Server> server_;
  int port_ = 0;
};

}  // namespace trit::serve
