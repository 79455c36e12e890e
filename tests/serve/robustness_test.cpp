// What a server on a network meets: slow, huge, broken, impatient and many.
#include <gmock/gmock.h>

#include "tests/serve/server_fixture.h"

namespace trit::serve {
namespace {

using ::testing::HasSubstr;

class RobustnessTest : public ServerTest {
 protected:
  // A chat that would take 100 s of engine time if nobody cut it.
  void ServeSlowly(ServerOptions options = {}, int slots = 1) {
    FakeOptions engine = FastEngine();
    engine.slots = slots;
    engine.flat_ns = 50 * kNsPerMs;
    engine.answer_tokens = 2000;
    Serve(options, engine);
  }
  std::string ChatText(const std::string& fields = "\"stream\":true") {
    return PostText("/v1/chat/completions",
                    R"({"messages":[{"role":"user","content":"hi"}],)" + fields + "}");
  }
  bool Alive() { return Chat(R"("max_tokens":1)").status == 200; }
};

TEST_F(RobustnessTest, ADisconnectFreesTheSlot) {
  ServeSlowly();
  for (const bool stream : {true, false}) {
    for (const bool reset : {true, false}) {
      RawClient client(port_);
      client.Send(ChatText(stream ? "\"stream\":true" : "\"stream\":false"));
      ASSERT_TRUE(Soon([&] { return server_->Stats().running == 1; }));
      if (stream) {
        EXPECT_THAT(client.ReceiveSome(10000, 5000), HasSubstr("200 OK"));
      }
      if (reset) {
        client.Reset();
      } else {
        client.Close();
      }
      EXPECT_TRUE(Soon([&] { return server_->Stats().running == 0; }));
    }
  }
  EXPECT_EQ(server_->Stats().cancelled, 4);
  EXPECT_TRUE(Alive());
}

TEST_F(RobustnessTest, ADisconnectWhileWaitingLeavesTheQueue) {
  ServeSlowly();
  RawClient running(port_);
  running.Send(ChatText());
  ASSERT_TRUE(Soon([&] { return server_->Stats().running == 1; }));
  RawClient waiting(port_);
  waiting.Send(ChatText());
  ASSERT_TRUE(Soon([&] { return server_->Stats().waiting == 1; }));
  waiting.Reset();
  EXPECT_TRUE(Soon([&] { return server_->Stats().waiting == 0; }));
  running.Reset();
  EXPECT_TRUE(AllQuiet());
}

TEST_F(RobustnessTest, FullMeans429AndTooLateMeans503) {
  ServerOptions options;
  options.scheduler.max_waiting = 1;
  options.scheduler.max_wait_ms = 300;
  ServeSlowly(options);
  RawClient running(port_), waiting(port_);
  running.Send(ChatText());
  ASSERT_TRUE(Soon([&] { return server_->Stats().running == 1; }));
  waiting.Send(ChatText());
  ASSERT_TRUE(Soon([&] { return server_->Stats().waiting == 1; }));
  const RawAnswer full = Chat("");
  EXPECT_EQ(full.status, 429);
  EXPECT_THAT(full.head, HasSubstr("Retry-After: "));
  EXPECT_EQ(full.Json()["error"]["code"], "rate_limit_exceeded");
  const RawAnswer late = waiting.Receive();
  EXPECT_EQ(late.status, 503) << "a stream that never began has its status too";
  EXPECT_EQ(late.Json()["error"]["code"], "queue_timeout");
}

TEST_F(RobustnessTest, BodiesAreBounded) {
  ServerOptions options;
  options.http.max_body_bytes = 10'000;
  Serve(options);
  RawClient announced(port_);
  announced.Send(
      "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 99999999999\r\n\r\n");
  const RawAnswer answer = announced.Receive();
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.Json()["error"]["code"], "body_too_large");
  EXPECT_EQ(Post(port_, "/tokenize", std::string(300'000, ' ')).status, 413);

  RawClient chunked(port_);
  chunked.Send(
      "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n");
  bool open = true;
  for (int i = 0; i < 100 && open; ++i)
    open = chunked.Send("2000\r\n" + std::string(0x2000, ' ') + "\r\n");
  EXPECT_EQ(chunked.Receive().status, 413);
  RawClient just_over(port_);
  just_over.Send(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n"
      "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2800\r\n" +
      std::string(0x2800, ' ') + "\r\n0\r\n\r\n");
  EXPECT_EQ(just_over.Receive().status, 413);

  RawClient heads(port_);
  heads.Send("GET / HTTP/1.1\r\n");
  open = true;
  for (int i = 0; i < 100 && open; ++i) open = heads.Send("X: " + std::string(1000, 'x') + "\r\n");
  const RawAnswer head = heads.Receive();
  EXPECT_TRUE(head.status == 431 || head.status == 0) << head.status;
}

TEST_F(RobustnessTest, FramingTricksAreRefused) {
  Serve();
  const struct {
    std::string head;
    int status;
  } cases[] = {
      {"POST /tokenize HTTP/1.1\r\nHost: a\r\n", 403},
      {"POST /tokenize HTTP/1.1\r\nContent-Type: application/json\r\n", 411},
      {"POST /tokenize HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: -1\r\n", 400},
      {"POST /tokenize HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 0x10\r\n",
       400},
      {"POST /tokenize HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n", 400},
      {"POST /tokenize HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400},
      {"POST /tokenize HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n", 400},
      {"POST /tokenize HTTP/1.1\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n", 415},
      {"POST /tokenize HTTP/1.1\r\nContent-Length: 2\r\nContent-Type: multipart/form-data\r\n",
       415},
      {"POST /tokenize HTTP/1.1\r\nContent-Length: 2\r\nContent-Type: application/json\r\n"
       "Content-Encoding: gzip\r\n",
       415},
      {"GET /health HTTP/1.1\r\nContent-Length: 5\r\n", 400},
      {"GET /nowhere HTTP/1.1\r\n", 404},
      {"GET /../../etc/passwd HTTP/1.1\r\n", 404},
      {"PUT /tokenize HTTP/1.1\r\nContent-Length: 1\r\n", 405},
      {"DELETE /v1/models HTTP/1.1\r\n", 405},
      {"GET /tokenize HTTP/1.1\r\n", 405},
      {"BREW /pot HTTP/1.1\r\n", 400},
      {"nonsense\r\n", 400},
      {"GET / HTTP/9.9\r\n", 400},
      {"GET /" + std::string(20000, 'a') + " HTTP/1.1\r\n", 414},
  };
  for (const auto& bad : cases) {
    SCOPED_TRACE(bad.head.substr(0, 200));
    RawClient client(port_);
    client.Send(bad.head + "\r\n");
    const RawAnswer answer = client.Receive(5000);
    EXPECT_EQ(answer.status, bad.status);
    EXPECT_TRUE(answer.Json().is_object() && answer.Json().contains("error")) << answer.body;
  }
  // Ranges are not served, whatever they say.
  EXPECT_EQ(Get(port_, "/health", "Range: bytes=0-1\r\n").body, R"({"status":"ok"})");
  EXPECT_EQ(Get(port_, "/health", "range: " + std::string(7000, '-') + "\r\n").status, 200);
}

TEST_F(RobustnessTest, SlowSendersAreCut) {
  ServerOptions options;
  options.http.head_ms = 300;
  options.http.body_ms = 300;
  options.http.idle_ms = 300;
  Serve(options);
  const auto dribble = [&](const std::string& start) {
    RawClient client(port_);
    client.Send(start);
    for (int i = 0; i < 20; ++i) {  // a byte in time, never an end
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      if (!client.Send("x")) break;
    }
    return client.Receive(5000);
  };
  EXPECT_EQ(dribble("GET /health HTTP/1.1\r\nX-Slow: ").status, 408);
  EXPECT_EQ(dribble("POST /tokenize HTTP/1.1\r\nContent-Type: application/json\r\n"
                    "Content-Length: 1000\r\n\r\n")
                .status,
            408);
  RawClient silent(port_);
  EXPECT_EQ(silent.ReceiveSome(10, 5000), "") << "an idle connection is closed";
}

TEST_F(RobustnessTest, ASlowReaderLosesItsSlotNotOthersTheirs) {
  ServerOptions options;
  options.http.write_ms = 300;
  FakeOptions engine = FastEngine();
  engine.answer_tokens = 1900;
  Serve(options, engine);
  RawClient slow(port_, 2048);
  // Logprobs make chunks of kilobytes: they fill the socket's buffers, nobody reads them.
  slow.Send(PostText("/v1/chat/completions", R"({"messages":[{"role":"user","content":"hi"}],
      "stream":true,"logprobs":true,"top_logprobs":20,"n":4})"));
  ASSERT_TRUE(Soon([&] { return server_->Stats().running > 0; }));
  EXPECT_TRUE(Alive());
  EXPECT_TRUE(AllQuiet());
}

TEST_F(RobustnessTest, KeptConnectionsServeOneRequestAfterAnother) {
  Serve();
  RawClient client(port_);
  for (int i = 0; i < 20; ++i) {
    client.Send(PostText("/tokenize", R"({"content":"ab"})"));
    ASSERT_EQ(client.Receive().body, R"({"tokens":[97,98]})") << i;
  }
  // Two at once are answered in turn.
  const std::string one = PostText("/tokenize", R"({"content":"c"})");
  client.Send(one + one);
  EXPECT_EQ(client.Receive().status, 200);
  EXPECT_EQ(client.Receive().status, 200);
}

TEST_F(RobustnessTest, OldProxiesGetAStreamWithoutChunks) {
  Serve();
  const std::string body = R"({"messages":[{"role":"user","content":"hi"}],"stream":true})";
  RawClient client(port_);
  client.Send(
      Join("POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\n"
           "Content-Length: ",
           body.size(), "\r\n\r\n", body));
  const RawAnswer answer = client.Receive();
  EXPECT_EQ(answer.head.find("chunked"), std::string::npos);
  ASSERT_FALSE(answer.Events().empty());
  EXPECT_EQ(answer.Events().back(), "[DONE]");
}

TEST_F(RobustnessTest, AHundredAtOnceAreAllAnswered) {
  ServerOptions options;
  options.scheduler.max_waiting = 200;
  options.scheduler.max_waiting_per_client = 200;
  Serve(options);
  std::atomic<int> good{0};
  std::vector<std::thread> users;
  for (int i = 0; i < 100; ++i) {
    users.emplace_back([&, i] {
      const RawAnswer answer =
          Chat(Join("\"max_tokens\":20,\"stream\":", i % 2 ? "true" : "false"));
      good += answer.status == 200 && answer.complete;
    });
  }
  for (auto& user : users) user.join();
  EXPECT_EQ(good, 100);
  EXPECT_TRUE(AllQuiet());
}

TEST_F(RobustnessTest, TooManyConnectionsAreRefusedAtOnce) {
  ServerOptions options;
  options.http.max_connections = 3;
  Serve(options);
  {
    RawClient a(port_), b(port_), c(port_);
    for (RawClient* client : {&a, &b, &c}) {
      client->Send("GET /health HTTP/1.1\r\n\r\n");
      EXPECT_EQ(client->Receive().status, 200);
    }
    const RawAnswer refused = Get(port_, "/health");
    EXPECT_TRUE(refused.status == 503 || refused.status == 0) << refused.status;
  }
  EXPECT_TRUE(Soon([&] { return Get(port_, "/health").status == 200; }));
}

TEST_F(RobustnessTest, ShutdownLetsStreamsEndAndCutsThemAtTheDeadline) {
  FakeOptions engine = FastEngine();
  engine.flat_ns = 5 * kNsPerMs;  // 40 tokens: 0.2 s
  Serve({}, engine);
  RawClient ends(port_);
  ends.Send(ChatText());
  ASSERT_TRUE(Soon([&] { return server_->Stats().running == 1; }));
  server_->Shutdown();
  RawAnswer answer = ends.Receive();
  EXPECT_TRUE(answer.complete);
  ASSERT_FALSE(answer.Events().empty());
  EXPECT_EQ(answer.Events().back(), "[DONE]");
  EXPECT_FALSE(RawClient(port_).connected());

  ServerOptions hasty;
  hasty.shutdown_ms = 100;
  ServeSlowly(hasty);
  RawClient cut(port_);
  cut.Send(ChatText());
  ASSERT_TRUE(Soon([&] { return server_->Stats().running == 1; }));
  server_->Shutdown();
  answer = cut.Receive();
  ASSERT_FALSE(answer.Events().empty());
  EXPECT_THAT(answer.Events().back(), HasSubstr("shutting_down"));
}

TEST_F(RobustnessTest, AnAnswerAdmittedWhileStoppingIsWrittenWhole) {
  for (const bool stream : {true, false}) {
    Serve();
    std::thread stop;
    engine_->on_open = [&] {  // has its slot, and not a byte of its answer is written
      stop = std::thread([&] { server_->Shutdown(); });
      EXPECT_TRUE(Soon([&] { return !RawClient(port_).connected(); }));
    };
    const RawAnswer answer = Chat(Join("\"max_tokens\":5,\"stream\":", stream ? "true" : "false"));
    stop.join();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.complete);
    if (stream) {
      ASSERT_FALSE(answer.Events().empty());
      EXPECT_EQ(answer.Events().back(), "[DONE]");
    } else {
      EXPECT_EQ(answer.Json()["usage"]["completion_tokens"], 5);
    }
  }
}

TEST_F(RobustnessTest, AnEngineFailureIsA500AndNotTheEnd) {
  Serve();
  engine_->on_step = [&](auto) {
    engine_->FailNextStep();
    engine_->on_step = nullptr;
  };
  EXPECT_EQ(Chat("").status, 500);
  EXPECT_TRUE(Alive());
}

}  // namespace
}  // namespace trit::serve
