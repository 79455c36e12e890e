// The endpoints and their bodies, over a real socket.
#include <gmock/gmock.h>

#include "model/serve/gate.h"
#include "tests/serve/server_fixture.h"

namespace trit::serve {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

void ExpectOpenAiError(const RawAnswer& answer, int status, const std::string& part) {
  EXPECT_EQ(answer.status, status) << answer.body;
  const json body = answer.Json();
  ASSERT_TRUE(body.is_object() && body.contains("error")) << answer.body;
  const json& error = body["error"];
  EXPECT_EQ(body.size(), 1u);
  EXPECT_TRUE(error["message"].is_string());
  EXPECT_TRUE(error["type"].is_string());
  EXPECT_TRUE(error.contains("param") && error.contains("code"));
  EXPECT_THAT(error["message"].get<std::string>() + "|" + error["code"].dump() + "|" +
                  error["param"].dump(),
              HasSubstr(part));
}

class ApiTest : public ServerTest {};

TEST_F(ApiTest, ListsItsModel) {
  Serve();
  const json list = Get(port_, "/v1/models").Json();
  EXPECT_EQ(list["object"], "list");
  EXPECT_EQ(list["data"][0]["id"], "fake");
  EXPECT_EQ(list["data"][0]["object"], "model");
  EXPECT_EQ(Get(port_, "/v1/models/fake").Json()["id"], "fake");
  ExpectOpenAiError(Get(port_, "/v1/models/other"), 404, "model_not_found");
}

TEST_F(ApiTest, Chats) {
  Serve();
  const RawAnswer answer = Chat(R"("model":"fake","temperature":0,"max_tokens":8)");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json body = answer.Json();
  EXPECT_EQ(body["object"], "chat.completion");
  EXPECT_THAT(body["id"].get<std::string>(), ::testing::StartsWith("chatcmpl-"));
  EXPECT_EQ(body["choices"].size(), 1u);
  EXPECT_EQ(body["choices"][0]["message"]["role"], "assistant");
  EXPECT_EQ(body["choices"][0]["message"]["content"].get<std::string>().size(), 8u);
  EXPECT_EQ(body["choices"][0]["finish_reason"], "length");
  EXPECT_TRUE(body["choices"][0]["logprobs"].is_null());
  EXPECT_EQ(body["usage"]["prompt_tokens"], 5);  // begin, user, "hi", assistant
  EXPECT_EQ(body["usage"]["completion_tokens"], 8);
  EXPECT_EQ(body["usage"]["total_tokens"], 13);
  EXPECT_EQ(body["timings"]["predicted_n"], 8);
  EXPECT_GT(body["timings"]["predicted_per_second"].get<double>(), 0);
  EXPECT_EQ(Chat(R"("temperature":0)").Json()["choices"][0]["finish_reason"], "stop");
}

TEST_F(ApiTest, StreamsWhatItWouldHaveAnswered) {
  Serve();
  const std::string fields = R"("temperature":0.8,"seed":5,"max_tokens":30,"n":2)";
  const json whole = Chat(fields).Json();
  const RawAnswer answer =
      Chat(fields + R"(,"stream":true,"stream_options":{"include_usage":true})");
  ASSERT_EQ(answer.status, 200);
  EXPECT_THAT(answer.head, HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_TRUE(answer.complete);
  const std::vector<std::string> events = answer.Events();
  ASSERT_GT(events.size(), 6u);
  EXPECT_EQ(events.back(), "[DONE]");
  std::string text[2], reason[2];
  int roles = 0;
  for (size_t i = 0; i + 2 < events.size(); ++i) {
    const json chunk = json::parse(events[i]);
    EXPECT_EQ(chunk["object"], "chat.completion.chunk");
    EXPECT_TRUE(chunk["usage"].is_null());
    const json& choice = chunk["choices"].at(0);
    const int index = choice["index"];
    if (choice["delta"].contains("role")) {
      ++roles;
      EXPECT_EQ(text[index], "") << "the role comes first";
    }
    text[index] += choice["delta"].value("content", "");
    if (!choice["finish_reason"].is_null()) {
      reason[index] = choice["finish_reason"];
      EXPECT_TRUE(choice["delta"].empty());
      EXPECT_TRUE(chunk.contains("timings"));
    }
  }
  EXPECT_EQ(roles, 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(text[i], whole["choices"][i]["message"]["content"]);
    EXPECT_EQ(reason[i], whole["choices"][i]["finish_reason"]);
  }
  EXPECT_NE(text[0], text[1]);
  const json usage = json::parse(events[events.size() - 2]);
  EXPECT_TRUE(usage["choices"].empty());
  EXPECT_EQ(usage["usage"]["completion_tokens"], whole["usage"]["completion_tokens"]);
}

TEST_F(ApiTest, Completes) {
  Serve();
  const json body =
      Post(port_, "/v1/completions",
           R"({"prompt":["one","two"],"n":2,"max_tokens":4,"temperature":0,"echo":true})")
          .Json();
  EXPECT_EQ(body["object"], "text_completion");
  ASSERT_EQ(body["choices"].size(), 4u);
  EXPECT_THAT(body["choices"][0]["text"].get<std::string>(), ::testing::StartsWith("one"));
  EXPECT_THAT(body["choices"][3]["text"].get<std::string>(), ::testing::StartsWith("two"));
  EXPECT_EQ(body["choices"][3]["index"], 3);
  EXPECT_EQ(body["usage"]["prompt_tokens"], 8) << "begin and three letters, twice; n is free";
  const std::string ids = R"({"prompt":[256,104,105],"max_tokens":3,"temperature":0})";
  const std::string text = R"({"prompt":"hi","max_tokens":3,"temperature":0})";
  EXPECT_EQ(Post(port_, "/v1/completions", ids).Json()["choices"],
            Post(port_, "/v1/completions", text).Json()["choices"]);
  const RawAnswer stream = Post(port_, "/v1/completions",
                                R"({"prompt":"hi","max_tokens":3,"temperature":0,"stream":true})");
  std::string streamed;
  for (const std::string& event : stream.Events()) {
    if (event != "[DONE]") streamed += json::parse(event)["choices"][0].value("text", "");
  }
  EXPECT_EQ(streamed, Post(port_, "/v1/completions", text).Json()["choices"][0]["text"]);
}

TEST_F(ApiTest, LogprobsInBothForms) {
  Serve();
  const json chat = Chat(R"("logprobs":true,"top_logprobs":2,"max_tokens":3)").Json();
  const json& content = chat["choices"][0]["logprobs"]["content"];
  ASSERT_EQ(content.size(), 3u);
  EXPECT_EQ(content[0]["top_logprobs"].size(), 2u);
  EXPECT_EQ(content[0]["bytes"].size(), 1u);
  const json plain =
      Post(port_, "/v1/completions", R"({"prompt":"x","logprobs":2,"max_tokens":3})").Json();
  const json& logprobs = plain["choices"][0]["logprobs"];
  EXPECT_EQ(logprobs["tokens"].size(), 3u);
  EXPECT_EQ(logprobs["token_logprobs"].size(), 3u);
  EXPECT_EQ(logprobs["top_logprobs"][0].size(), 2u);
  EXPECT_EQ(logprobs["text_offset"][0], 0);
}

TEST_F(ApiTest, TextOffsetsCountCharacters) {
  Serve();
  // The user says "echo:éx"; the bytes of "é" are two tokens.
  const std::string fields =
      R"("prompt":[256,258,101,99,104,111,58,195,169,120,259],"logprobs":0,"temperature":0)";
  const json whole = Post(port_, "/v1/completions", "{" + fields + "}").Json();
  EXPECT_EQ(whole["choices"][0]["text"], "éx");
  EXPECT_EQ(whole["choices"][0]["logprobs"]["text_offset"], json::parse("[0,0,1]"));
  const RawAnswer stream = Post(port_, "/v1/completions", "{" + fields + R"(,"stream":true})");
  json offsets = json::array();
  for (const std::string& event : stream.Events()) {
    if (event == "[DONE]") continue;
    const json chunk = json::parse(event);  // alive while its parts are looked at
    const json& logprobs = chunk["choices"][0]["logprobs"];
    if (logprobs.is_null()) continue;
    for (const json& offset : logprobs["text_offset"]) offsets.push_back(offset);
  }
  EXPECT_EQ(offsets, json::parse("[0,0,1]"));
}

TEST_F(ApiTest, EveryNameOfTheTokenLimitCounts) {
  Serve();
  for (const char* name : {"max_tokens", "max_completion_tokens", "n_predict"}) {
    EXPECT_EQ(Chat(Join("\"", name, "\":3")).Json()["usage"]["completion_tokens"], 3) << name;
  }
  EXPECT_EQ(Chat(R"("max_completion_tokens":2,"max_tokens":9)").Json()["timings"]["predicted_n"],
            2);
  EXPECT_EQ(Chat(R"("n_predict":-1,"temperature":0)").Json()["choices"][0]["finish_reason"],
            "stop");
  ExpectOpenAiError(Chat(R"("n_predict":0)"), 400, "n_predict");
}

TEST_F(ApiTest, AnswersCarryAnIdOfTheirOwn) {
  Serve();
  const auto id_of = [](const RawAnswer& answer) {
    const size_t at = answer.head.find("x-request-id: req_");
    EXPECT_NE(at, std::string::npos) << answer.head;
    return answer.head.substr(at, answer.head.find("\r\n", at) - at);
  };
  const std::string first = id_of(Chat(R"("max_tokens":1)"));
  EXPECT_NE(first, id_of(Chat(R"("max_tokens":1)")));
  EXPECT_NE(first, id_of(Chat(R"("max_tokens":1,"stream":true)")));
  EXPECT_NE(first, id_of(Chat(R"("max_tokens":0)")));
  EXPECT_NE(first, id_of(Get(port_, "/nowhere")));
}

TEST_F(ApiTest, WhatAsksForNothingIsTaken) {
  Serve();
  EXPECT_EQ(Chat(R"("max_tokens":1,"tools":[],"tool_choice":"none","functions":[],
      "response_format":{"type":"text"},"modalities":["text"],"parallel_tool_calls":true,
      "store":false,"metadata":{},"service_tier":"auto","reasoning_effort":"low","stop":null,
      "logit_bias":{},"n":1,"stream":false,"stream_options":null,"seed":null)")
                .status,
            200);
  const RawAnswer plain = Post(port_, "/v1/completions",
                               R"({"prompt":"x","max_tokens":1,"suffix":null,"best_of":1,
      "echo":false,"logprobs":null,"user":"u"})");
  EXPECT_EQ(plain.status, 200) << plain.body;
  for (const char* asks : {R"("tools":[{"type":"function","function":{"name":"f"}}])",
                           R"("tool_choice":"required")", R"("audio":{"voice":"x"})",
                           R"("response_format":{"type":"json_schema","json_schema":{}})"}) {
    ExpectOpenAiError(Chat(asks), 400, "unsupported_parameter");
  }
  ExpectOpenAiError(Post(port_, "/v1/completions", R"({"prompt":"x","echo":true,"logprobs":1})"),
                    400, "echo");
  ExpectOpenAiError(Post(port_, "/v1/completions", R"({"prompt":"x","n":1,"best_of":2})"), 400,
                    "best_of");
}

TEST_F(ApiTest, StopSeedAndBiasDoWhatTheySay) {
  Serve();
  const std::string whole =
      Chat(R"("temperature":0,"max_tokens":30)").Json()["choices"][0]["message"]["content"];
  const std::string stop = whole.substr(9, 3);
  const json cut = Chat(R"("temperature":0,"max_tokens":30,"stop":")" + stop + "\"").Json();
  EXPECT_EQ(cut["choices"][0]["message"]["content"], whole.substr(0, whole.find(stop)));
  EXPECT_EQ(cut["choices"][0]["finish_reason"], "stop");
  const auto sampled = [&](int seed) {
    return Chat(R"("temperature":1.5,"max_tokens":30,"seed":)" + std::to_string(seed))
        .Json()["choices"]
        .dump();
  };
  EXPECT_EQ(sampled(1), sampled(1));
  EXPECT_NE(sampled(1), sampled(2));
  const json biased = Chat(R"("temperature":0,"max_tokens":5,"logit_bias":{"33":100})").Json();
  EXPECT_EQ(biased["choices"][0]["message"]["content"], "!!!!!");
}

TEST_F(ApiTest, TokenizesAndBack) {
  Serve();
  EXPECT_EQ(Post(port_, "/tokenize", R"({"content":"ab<eos>","add_special":true})").Json(),
            json::parse(R"({"tokens":[256,97,98,257]})"));
  EXPECT_EQ(Post(port_, "/tokenize", R"({"content":"<eos>","parse_special":false})")
                .Json()["tokens"]
                .size(),
            5u);
  const json pieces = Post(port_, "/tokenize", R"({"content":"é","with_pieces":true})").Json();
  EXPECT_EQ(pieces["tokens"][0]["piece"], json::parse("[195]"));
  EXPECT_EQ(Post(port_, "/detokenize", R"({"tokens":[195,169,257]})").Json()["content"], "é<eos>");
  ExpectOpenAiError(Post(port_, "/detokenize", R"({"tokens":[1000]})"), 400, "tokens");
  ExpectOpenAiError(Post(port_, "/tokenize", R"({})"), 400, "content");
}

TEST_F(ApiTest, HealthPropsMetricsAndPage) {
  Serve();
  EXPECT_EQ(Get(port_, "/health").Json(), json::parse(R"({"status":"ok"})"));
  const json props = Get(port_, "/props").Json();
  EXPECT_EQ(props["total_slots"], 4);
  EXPECT_EQ(props["kernels"].size(), 1u);
  Chat(R"("max_tokens":5)");
  const std::string metrics = Get(port_, "/metrics").body;
  for (const char* name :
       {"llamacpp:prompt_tokens_total", "llamacpp:tokens_predicted_total 5\n",
        "llamacpp:prompt_tokens_seconds", "llamacpp:predicted_tokens_seconds",
        "llamacpp:requests_processing", "llamacpp:requests_deferred",
        "llamacpp:kv_cache_usage_ratio",
        "trit:http_requests_total{path=\"/v1/chat/completions\",status=\"200\"} 1\n"}) {
    EXPECT_THAT(metrics, HasSubstr(name));
  }
  const RawAnswer page = Get(port_, "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.head, HasSubstr("Content-Security-Policy: default-src 'none'; script-src "
                                   "'nonce-"));
  EXPECT_EQ(page.body.find("@NONCE@"), std::string::npos);
  EXPECT_EQ(page.body.find("http://"), std::string::npos) << "the page loads nothing from outside";
  EXPECT_EQ(page.body.find("https://"), std::string::npos);
}

TEST_F(ApiTest, EveryFaultHasItsAnswer) {
  Serve();
  const struct {
    const char* fields;
    int status;
    const char* part;
  } cases[] = {
      {R"("temperature":3)", 400, "temperature"},
      {R"("temperature":"hot")", 400, "temperature"},
      {R"("top_p":-0.1)", 400, "top_p"},
      {R"("max_tokens":0)", 400, "max_tokens"},
      {R"("max_tokens":1.5)", 400, "max_tokens"},
      {R"("n":0)", 400, "'n'"},
      {R"("n":99)", 400, "'n'"},
      {R"("seed":1e40)", 400, "seed"},
      {R"("stop":[""])", 400, "stop"},
      {R"("stop":7)", 400, "stop"},
      {R"("logit_bias":{"9999":1})", 400, "logit_bias"},
      {R"("logit_bias":{"1":101})", 400, "logit_bias"},
      {R"("logit_bias":[1])", 400, "logit_bias"},
      {R"("stream":"yes")", 400, "stream"},
      {R"("stream_options":{})", 400, "stream_options"},
      {R"("stream":true,"stream_options":{"x":1})", 400, "stream_options.x"},
      {R"("top_logprobs":2)", 400, "top_logprobs"},
      {R"("logprobs":true,"top_logprobs":21)", 400, "top_logprobs"},
      {R"("temprature":1)", 400, "Unknown field 'temprature'"},
      {R"("tools":[{"type":"function"}])", 400, "tools"},
      {R"("response_format":{"type":"json_object"})", 400, "response_format"},
      {R"("model":"gpt-4")", 404, "model_not_found"},
      {R"("model":7)", 400, "model"},
  };
  for (const auto& bad : cases) {
    SCOPED_TRACE(bad.fields);
    ExpectOpenAiError(Chat(bad.fields), bad.status, bad.part);
  }
  const struct {
    const char* body;
    const char* part;
  } bodies[] = {
      {"", "not valid JSON"},
      {"{", "not valid JSON"},
      {"[]", "must be a JSON object"},
      {"{\"messages\":[]}", "messages"},
      {"{\"messages\":7}", "messages"},
      {"{\"messages\":[7]}", "messages[0]"},
      {"{\"messages\":[{\"role\":\"robot\",\"content\":\"x\"}]}", "role"},
      {"{\"messages\":[{\"role\":\"user\"}]}", "content"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}", "content"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"y\":1}]}", "messages[0].y"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":\"\xff\"}]}", "not valid JSON"},
      {"{\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}", "not valid JSON"},
      {"{\"a\":1e999}", "not valid JSON"},
      {"{}{}", "not valid JSON"},
  };
  for (const auto& bad : bodies) {
    SCOPED_TRACE(bad.body);
    ExpectOpenAiError(Post(port_, "/v1/chat/completions", bad.body), 400, bad.part);
  }
  ExpectOpenAiError(Post(port_, "/v1/chat/completions", std::string(100'000, '[')), 400, "deep");
  ExpectOpenAiError(Post(port_, "/v1/completions", R"({"prompt":[261]})"), 400, "prompt");
  ExpectOpenAiError(Post(port_, "/v1/completions", R"({"prompt":[-1]})"), 400, "prompt");
  ExpectOpenAiError(Post(port_, "/v1/completions", R"({"prompt":[]})"), 400, "prompt");
  ExpectOpenAiError(Post(port_, "/v1/completions", R"({"prompt":"a","suffix":"b"})"), 400,
                    "suffix");
  ExpectOpenAiError(
      Post(port_, "/v1/completions", "{\"prompt\":\"" + std::string(3000, 'x') + "\"}"), 400,
      "context_length_exceeded");
  EXPECT_TRUE(AllQuiet());
}

TEST_F(ApiTest, TextPartsAndRolesAreTaken) {
  Serve();
  const RawAnswer answer = Post(port_, "/v1/chat/completions", R"({"max_tokens":1,"messages":[
      {"role":"developer","content":"be brief"},
      {"role":"user","content":[{"type":"text","text":"h"},{"type":"text","text":"i"}]},
      {"role":"assistant","content":"yes?","refusal":null},
      {"role":"user","content":"","name":"ann"}],"user":"u","temperature":null})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.Json()["usage"]["prompt_tokens"], 1 + 9 + 3 + 5 + 1 + 1);
}

TEST_F(ApiTest, KeysHostsAndOrigins) {
  ServerOptions options;
  options.api_keys = {"secret-1", "secret-2"};
  options.cors_origins = {"http://app.example"};
  options.allowed_hosts = {"chat.example"};
  Serve(options);
  EXPECT_EQ(Get(port_, "/health").status, 200);
  EXPECT_EQ(Get(port_, "/").status, 200);
  ExpectOpenAiError(Get(port_, "/v1/models"), 401, "invalid_api_key");
  ExpectOpenAiError(Get(port_, "/v1/models", "Authorization: Bearer secret-3\r\n"), 401,
                    "Incorrect");
  ExpectOpenAiError(Post(port_, "/tokenize", R"({"content":"x"})"), 401, "invalid_api_key");
  EXPECT_EQ(Get(port_, "/v1/models", "Authorization: Bearer secret-2\r\n").status, 200);

  RawClient evil(port_);
  evil.Send("GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  ExpectOpenAiError(evil.Receive(), 403, "host_not_allowed");
  RawClient proxied(port_);
  proxied.Send("GET /health HTTP/1.1\r\nHost: chat.example:443\r\n\r\n");
  EXPECT_EQ(proxied.Receive().status, 200);

  EXPECT_THAT(Get(port_, "/health", "Origin: http://app.example\r\n").head,
              HasSubstr("Access-Control-Allow-Origin: http://app.example"));
  EXPECT_THAT(Get(port_, "/health", "Origin: http://other.example\r\n").head,
              ::testing::Not(HasSubstr("Access-Control")));
  RawClient preflight(port_);
  preflight.Send(
      "OPTIONS /v1/models HTTP/1.1\r\nHost: localhost\r\n"
      "Origin: http://app.example\r\n\r\n");
  EXPECT_EQ(preflight.Receive().status, 204);
  Serve();
  EXPECT_THAT(Get(port_, "/health", "Origin: http://app.example\r\n").head,
              ::testing::Not(HasSubstr("Access-Control")))
      << "off unless asked for";
}

TEST(Gate, KeysCompareWhole) {
  EXPECT_TRUE(EqualInConstantTime("abc", "abc"));
  for (const char* wrong : {"", "a", "ab", "abd", "abcabc", "abca"}) {
    EXPECT_FALSE(EqualInConstantTime(wrong, "abc")) << wrong;
  }
  EXPECT_FALSE(EqualInConstantTime("x", ""));
}

}  // namespace
}  // namespace trit::serve
