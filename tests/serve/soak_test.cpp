// Many requests, most of them bad in some way, from several threads: nothing may crash, leak, stick
// or answer in another form than OpenAI's. The default tier runs 600; the long one 10,000.
#include <malloc.h>

#include <random>

#include "tests/serve/server_fixture.h"

#if defined(__SANITIZE_ADDRESS__)
// Debian's gcc has the function but not its header.
extern "C" size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace trit::serve {
namespace {

#ifdef TRIT_SOAK_LONG
constexpr int kRequests = 10'000;
#else
constexpr int kRequests = 600;
#endif

size_t AllocatedBytes() {
#if defined(__SANITIZE_ADDRESS__)
  return __sanitizer_get_current_allocated_bytes();
#else
  return mallinfo2().uordblks;
#endif
}

class SoakTest : public ServerTest {
 protected:
  static std::string Chat(const std::string& fields) {
    return R"({"messages":[{"role":"user","content":"soak"}],)" + fields + "}";
  }

  // Sends one request of a random kind and checks what comes back.
  void One(std::mt19937* random) {
    const auto pick = [&](int n) {
      return static_cast<int>((*random)() % static_cast<unsigned>(n));
    };
    const char* path = pick(2) ? "/v1/chat/completions" : "/v1/completions";
    RawClient client(port_, pick(4) ? 0 : 2048);
    ASSERT_TRUE(client.connected());
    switch (pick(11)) {
      case 0: {  // a good one
        client.Send(PostText("/v1/chat/completions", Chat(Join("\"max_tokens\":", 1 + pick(20)))));
        const RawAnswer answer = client.Receive();
        EXPECT_EQ(answer.status, 200) << answer.body;
        break;
      }
      case 1: {  // a good stream, now and then read slowly
        client.Send(PostText("/v1/chat/completions",
                             Chat(Join("\"stream\":true,\"n\":2,\"max_tokens\":", 1 + pick(20)))));
        if (pick(4) == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
        const RawAnswer answer = client.Receive();
        EXPECT_EQ(answer.status, 200);
        ASSERT_FALSE(answer.Events().empty());
        EXPECT_EQ(answer.Events().back(), "[DONE]");
        break;
      }
      case 2:  // gone in the middle of a stream
        client.Send(PostText("/v1/chat/completions", Chat("\"stream\":true")));
        client.ReceiveSome(static_cast<size_t>(1 + pick(400)), 2000);
        pick(2) ? client.Reset() : client.Close();
        break;
      case 3:  // gone before an answer
        client.Send(PostText("/v1/chat/completions", Chat("\"max_tokens\":1900")));
        if (pick(2)) std::this_thread::sleep_for(std::chrono::milliseconds(pick(10)));
        pick(2) ? client.Reset() : client.Close();
        break;
      case 4: {  // JSON cut anywhere
        const std::string whole = Chat("\"seed\":1,\"stop\":[\"a\",\"b\"]");
        Bad(&client,
            PostText(path,
                     whole.substr(0, static_cast<size_t>(pick(static_cast<int>(whole.size()))))));
        break;
      }
      case 5: {  // JSON with bytes changed: may still be right
        std::string body = Chat("\"max_tokens\":5");
        for (int i = 1 + pick(3); i > 0; --i) {
          body[static_cast<size_t>(pick(static_cast<int>(body.size())))] =
              static_cast<char>(pick(256));
        }
        client.Send(PostText(path, body));
        const RawAnswer answer = client.Receive();
        EXPECT_TRUE(answer.status == 200 || IsError(answer)) << answer.status << answer.body;
        break;
      }
      case 6:  // bad UTF-8
        Bad(&client,
            PostText(path, "{\"prompt\":\"" + std::string("\xC3\x28\xF0\x9F\xFF") + "\"}"));
        break;
      case 7:  // unknown fields
        Bad(&client, PostText(path, Chat(Join("\"field", pick(1000), "\":", pick(10)))));
        break;
      case 8:  // a huge body, and its sender goes on sending
        client.Send(PostText(path, std::string(static_cast<size_t>(70'000 + pick(200'000)), ' ')));
        EXPECT_EQ(client.Receive().status, 413);
        break;
      case 9: {  // bytes of no protocol
        std::string noise(static_cast<size_t>(1 + pick(300)), '\0');
        for (char& c : noise) c = static_cast<char>(pick(256));
        client.Send(noise + "\r\n\r\n");
        const RawAnswer answer = client.Receive(2000);
        EXPECT_TRUE(answer.status == 0 || IsError(answer)) << answer.status << answer.body;
        break;
      }
      case 10:  // a promise not kept
        client.Send(
            "POST /tokenize HTTP/1.1\r\nContent-Type: application/json\r\n"
            "Content-Length: 1000\r\n\r\n{\"content\"");
        client.Close();
        break;
    }
  }
  static bool IsError(const RawAnswer& answer) {
    const auto body = answer.Json();
    return answer.status >= 400 && body.is_object() && body.contains("error") &&
           body["error"].contains("message");
  }
  static void Bad(RawClient* client, const std::string& request) {
    client->Send(request);
    const RawAnswer answer = client->Receive();
    EXPECT_TRUE(IsError(answer)) << answer.status << answer.body;
    EXPECT_LT(answer.status, 500);
  }
  void Many(int count, unsigned seed) {
    std::vector<std::thread> users;
    for (unsigned user = 0; user < 8; ++user) {
      users.emplace_back([this, count, seed, user] {
        std::mt19937 random(seed * 100 + user);
        for (int i = 0; i < count / 8; ++i) One(&random);
      });
    }
    for (auto& user : users) user.join();
    ASSERT_TRUE(AllQuiet()) << "a slot or a place in the queue was never given back";
  }
};

TEST_F(SoakTest, NothingCrashesLeaksOrSticks) {
  ServerOptions options;
  options.http.max_body_bytes = 65536;
  options.http.body_ms = 2000;
  options.http.head_ms = 2000;
  options.scheduler.max_waiting = 1000;
  options.scheduler.max_waiting_per_client = 1000;
  Serve(options);
  Many(200, 1);  // buffers, threads and the fake engine's kept prefixes reach their sizes
  ASSERT_TRUE(Soon([&] {
    return Get(port_, "/metrics").body.find("trit:connections 1\n") != std::string::npos;
  }));
  const size_t before = AllocatedBytes();
  Many(kRequests, 2);
  ASSERT_TRUE(Soon([&] {
    return Get(port_, "/metrics").body.find("trit:connections 1\n") != std::string::npos;
  })) << "a connection never ended";
  const size_t after = AllocatedBytes();
  // What may stay: the step log of the fake engine (at most 400 KB) and counters.
  EXPECT_LE(after, before + (1 << 20)) << "memory grew from " << before << " to " << after;
  EXPECT_EQ(engine_->open_slots(), 0);
  const RawAnswer alive = Post(port_, "/v1/chat/completions", Chat("\"max_tokens\":1"));
  EXPECT_EQ(alive.status, 200);
  server_->Shutdown();
}

}  // namespace
}  // namespace trit::serve
