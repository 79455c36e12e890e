#include "model/serve/server.h"

#include <chrono>
#include <ctime>
#include <random>
#include <thread>

#include "model/serve/api_response.h"
#include "model/serve/gate.h"
#include "model/serve/http_server.h"
#include "model/serve/json_fields.h"
#include "model/serve/metrics.h"
#include "model/serve/page.h"

namespace trit::serve {
namespace {

constexpr Route kRoutes[] = {
    {"GET", "/", true},
    {"GET", "/health", true},
    {"GET", "/v1/models", false},
    {"GET", "/props", false},
    {"GET", "/metrics", false},
    {"POST", "/v1/chat/completions", false},
    {"POST", "/v1/completions", false},
    {"POST", "/tokenize", false},
    {"POST", "/detokenize", false},
};
constexpr std::string_view kModelPrefix = "/v1/models/";
constexpr const char* kJsonType = "application/json";

void Send(httplib::Response& response, int status, const Json& body) {
  response.status = status;
  response.set_content(Dump(body), kJsonType);
}

void SendError(httplib::Response& response, const ApiError& error) {
  if (error.status() == 429 || error.status() == 503) response.set_header("Retry-After", "2");
  if (error.status() == 401) response.set_header("WWW-Authenticate", "Bearer");
  Send(response, error.status(), error.Body());
}

// One generation request from its body to its last byte.
struct Exchange {
  Exchange(Scheduler* owner, ApiRequest what, const Engine& engine)
      : scheduler(owner),
        request(std::move(what)),
        job(std::make_shared<Job>(std::move(request.job))) {
    request.job = job->spec;
    answer.emplace(request, engine, NewId(request.chat ? "chatcmpl-" : "cmpl-"),
                   std::time(nullptr));
  }
  ~Exchange() {
    if (!answer->complete()) scheduler->Cancel(job);
  }

  Scheduler* scheduler;
  ApiRequest request;
  std::shared_ptr<Job> job;
  std::optional<Answer> answer;
  std::optional<Event> first;
};

// For the log, from the connection's thread, when an answer is over.
void Note(const Exchange& exchange) {
  Connection* connection = Connection::Current();
  if (!connection) return;
  const Timings total = exchange.answer->Total();
  connection->note["prompt_tokens"] = total.prompt_tokens;
  connection->note["cached_tokens"] = total.cached_tokens;
  connection->note["answer_tokens"] = total.answer_tokens;
  if (!exchange.answer->complete()) connection->note["cut"] = true;
}

}  // namespace

class Server::Impl {
 public:
  Impl(Engine* engine, ServerOptions options, Log* log)
      : engine_(engine),
        options_(std::move(options)),
        log_(log),
        scheduler_(engine, &clock_, options_.scheduler,
                   [log](const std::string& what) {
                     log->Write("fault", {{"what", what}});
                   }),
        gate_(GateOf(options_), kRoutes),
        http_(options_.http) {
    Wire();
  }

  int Start() {
    scheduler_.Calibrate();
    const int port = http_.Bind(options_.host, options_.port);
    engine_thread_ = std::thread([this] { scheduler_.Run(); });
    accept_thread_ = std::thread([this] { http_.listen_after_bind(); });
    // Before the accept loop runs, stop() would not be seen.
    while (!http_.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return port;
  }

  void Shutdown(const std::atomic<bool>* hurry) {
    if (!accept_thread_.joinable()) return;
    scheduler_.Drain();
    http_.BeginStop();
    const int64_t deadline = clock_.NowNs() + options_.shutdown_ms * kNsPerMs;
    while (!scheduler_.Idle() && clock_.NowNs() < deadline && !(hurry && *hurry)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    scheduler_.Stop();
    engine_thread_.join();
    accept_thread_.join();  // returns when the last connection has ended
  }

  SchedulerStats Stats() const { return scheduler_.Stats(); }

 private:
  static GateOptions GateOf(const ServerOptions& options) {
    GateOptions gate;
    gate.api_keys = options.api_keys;
    gate.allowed_hosts = options.allowed_hosts;
    gate.loopback_only =
        options.host == "localhost" || options.host == "::1" || options.host.starts_with("127.");
    gate.trust_proxy = options.trust_proxy;
    gate.max_body_bytes = options.http.max_body_bytes;
    return gate;
  }

  void Wire();
  bool BeforeRouting(const httplib::Request& request, httplib::Response& response);
  void AllowOrigin(const httplib::Request& request, httplib::Response& response) const;
  bool Get(const httplib::Request& request, httplib::Response& response);
  void Logged(const httplib::Request& request, const httplib::Response& response);

  void Page(httplib::Response& response) const;
  Json ModelEntry() const;
  Json Props() const;
  Json Tokenize(const httplib::Request& request) const;
  Json Detokenize(const httplib::Request& request) const;
  void Generate(const httplib::Request& request, httplib::Response& response, bool chat);
  std::optional<Event> NextEvent(Job* job, const Connection& connection, bool* silent) const;
  void AnswerWhole(Exchange* exchange, httplib::Response& response) const;
  void AnswerStream(std::shared_ptr<Exchange> exchange, const httplib::Request& request,
                    httplib::Response& response);
  bool WriteStream(Exchange* exchange, httplib::DataSink* sink);

  SteadyClock clock_;
  Engine* engine_;
  const ServerOptions options_;
  Log* log_;
  Scheduler scheduler_;
  Gate gate_;
  RequestCounts counts_;
  HttpServer http_;
  const int64_t started_ = std::time(nullptr);
  std::thread engine_thread_;
  std::thread accept_thread_;
};

void Server::Impl::Wire() {
  http_.set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        return BeforeRouting(request, response) ? httplib::Server::HandlerResponse::Handled
                                                : httplib::Server::HandlerResponse::Unhandled;
      });
  // Only these reach the library's routing: the rest is answered from the head.
  const auto post = [this](const char* path, auto handler) {
    http_.Post(path, [handler](const httplib::Request& request, httplib::Response& response) {
      try {
        handler(request, response);
      } catch (const ApiError& error) {
        SendError(response, error);
      }
    });
  };
  post("/v1/chat/completions", [this](const auto& q, auto& a) { Generate(q, a, true); });
  post("/v1/completions", [this](const auto& q, auto& a) { Generate(q, a, false); });
  post("/tokenize", [this](const auto& q, auto& a) { Send(a, 200, Tokenize(q)); });
  post("/detokenize", [this](const auto& q, auto& a) { Send(a, 200, Detokenize(q)); });

  http_.set_exception_handler(
      [this](const httplib::Request&, httplib::Response& response, std::exception_ptr error) {
        std::string what = "an exception of no known kind";
        try {
          std::rethrow_exception(error);
        } catch (const std::exception& known) {
          what = known.what();
        } catch (...) {
        }
        log_->Write("fault", {{"what", what}});
        SendError(response, ApiError(500, "server_error", "internal_error",
                                     "The server failed on this request."));
      });
  // Errors the library itself found: no body yet, and the connection's state is not to be trusted.
  http_.set_error_handler([](const httplib::Request&, httplib::Response& response) {
    if (!response.body.empty()) return;
    Connection* connection = Connection::Current();
    connection->close_after = true;
    response.set_header("Connection", "close");
    const int status = connection->over_limit() ? 413
                       : connection->too_slow() ? 408
                                                : response.status;
    const char* message = status == 413   ? "The body is larger than this server takes."
                          : status == 408 ? "The body took too long to arrive."
                          : status == 414 ? "The request's URL is too long."
                                          : "The request is not valid HTTP.";
    const char* code = status == 413   ? "body_too_large"
                       : status == 408 ? "request_timeout"
                                       : "bad_request";
    SendError(response, ApiError(status, "invalid_request_error", code, message));
  });
  http_.set_logger([this](const httplib::Request& request, const httplib::Response& response) {
    Logged(request, response);
  });
  http_.on_refused = [this](int status) { counts_.Count("none", status); };
}

void Server::Impl::AllowOrigin(const httplib::Request& request, httplib::Response& response) const {
  const std::string origin = request.get_header_value("Origin");
  if (origin.empty()) return;
  for (const std::string& allowed : options_.cors_origins) {
    if (allowed != "*" && allowed != origin) continue;
    response.set_header("Access-Control-Allow-Origin", allowed == "*" ? "*" : origin);
    response.set_header("Vary", "Origin");
    response.set_header("Access-Control-Allow-Headers", "Authorization, Content-Type");
    response.set_header("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    response.set_header("Access-Control-Max-Age", "600");
    response.set_header("Access-Control-Expose-Headers", "x-request-id");
    return;
  }
}

bool Server::Impl::BeforeRouting(const httplib::Request& request, httplib::Response& response) {
  Connection* connection = Connection::Current();
  connection->client = gate_.ClientOf(request);
  const std::string id = NewId("req_");  // OpenAI's clients show it with errors; the log has it
  response.set_header("x-request-id", id);
  connection->note["id"] = id;
  response.set_header("X-Content-Type-Options", "nosniff");
  AllowOrigin(request, response);
  try {
    if (request.method == "OPTIONS" && !options_.cors_origins.empty()) {
      response.status = 204;
      return true;
    }
    if (Get(request, response)) return true;
    const auto refused = gate_.Check(request);
    if (!refused) return false;
    // The body has not been read: what follows on this connection is no request.
    if (request.method != "GET" && request.method != "HEAD") {
      connection->close_after = true;
      response.set_header("Connection", "close");
    }
    SendError(response, *refused);
  } catch (const ApiError& error) {
    SendError(response, error);
  }
  return true;
}

// GET requests have no body and are answered right here.
bool Server::Impl::Get(const httplib::Request& request, httplib::Response& response) {
  if (request.method != "GET" && request.method != "HEAD") return false;
  httplib::Request asked = request;
  const bool one_model = request.path.starts_with(kModelPrefix);
  if (one_model) asked.path = "/v1/models";
  if (const auto refused = gate_.Check(asked)) throw *refused;
  if (one_model) {
    const std::string id = request.path.substr(kModelPrefix.size());
    if (id != engine_->Facts().model_id) {
      throw ApiError(404, "invalid_request_error", "model_not_found",
                     Join("The model '", id.substr(0, 200), "' is not here; this server has '",
                          engine_->Facts().model_id, "'."),
                     "model");
    }
    Send(response, 200, ModelEntry());
  } else if (request.path == "/health") {
    Send(response, 200, {{"status", "ok"}});
  } else if (request.path == "/v1/models") {
    Send(response, 200, {{"object", "list"}, {"data", Json::array({ModelEntry()})}});
  } else if (request.path == "/props") {
    Send(response, 200, Props());
  } else if (request.path == "/metrics") {
    response.set_content(MetricsText(scheduler_.Stats(), counts_, http_.connections()),
                         "text/plain; version=0.0.4");
  } else {
    Page(response);
  }
  return true;
}

void Server::Impl::Logged(const httplib::Request& request, const httplib::Response& response) {
  Connection* connection = Connection::Current();
  bool known = false;
  for (const Route& route : kRoutes) known |= request.path == route.path;
  counts_.Count(known ? request.path : "other", response.status);
  Json fields = {{"client", connection->client},
                 {"method", request.method.substr(0, 20)},
                 {"path", request.path.substr(0, 200)},
                 {"status", response.status},
                 {"ms", (clock_.NowNs() - connection->started_ns) / kNsPerMs}};
  fields.update(connection->note);
  log_->Write("request", fields);
}

void Server::Impl::Page(httplib::Response& response) const {
  if (!options_.page) {
    throw ApiError(404, "invalid_request_error", "unknown_url", "The chat page is switched off.");
  }
  // Scripts and styles run with this answer's nonce only: text that slipped into the page as
  // markup could do nothing.
  std::random_device random;
  std::string nonce;
  for (int i = 0; i < 24; ++i) nonce += static_cast<char>('a' + random() % 26);
  std::string html(PageHtml());
  constexpr std::string_view kMark = "@NONCE@";
  for (size_t at; (at = html.find(kMark)) != std::string::npos;) {
    html.replace(at, kMark.size(), nonce);
  }
  response.set_header(
      "Content-Security-Policy",
      Join("default-src 'none'; script-src 'nonce-", nonce, "'; style-src 'nonce-", nonce,
           "'; connect-src 'self'; img-src data:; base-uri 'none'; "
           "form-action 'none'; frame-ancestors 'none'"));
  response.set_header("Referrer-Policy", "no-referrer");
  response.set_header("Cache-Control", "no-store");
  response.set_content(html, "text/html; charset=utf-8");
}

Json Server::Impl::ModelEntry() const {
  const EngineFacts& facts = engine_->Facts();
  return {{"id", facts.model_id},
          {"object", "model"},
          {"created", started_},
          {"owned_by", "tritforge"},
          {"meta",
           {{"n_vocab", facts.vocabulary},
            {"n_ctx_train", facts.context},
            {"n_params", facts.parameters},
            {"size", facts.file_bytes}}}};
}

Json Server::Impl::Props() const {
  const EngineFacts& facts = engine_->Facts();
  const SamplingOptions sampling;
  return {{"default_generation_settings",
           {{"n_ctx", facts.context},
            {"params",
             {{"temperature", 1.0},
              {"top_p", sampling.top_p},
              {"top_k", sampling.top_k},
              {"min_p", sampling.min_p},
              {"repeat_penalty", sampling.repeat_penalty},
              {"repeat_last_n", sampling.repeat_last_n}}}}},
          {"total_slots", facts.slots},
          {"model_alias", facts.model_id},
          {"model_path", facts.path},
          {"architecture", facts.architecture},
          {"chat_template", facts.chat_template},
          {"build_info", "tritforge"},
          {"threads", facts.threads},
          {"target", facts.target},
          {"kernels", facts.kernels}};
}

Json Server::Impl::Tokenize(const httplib::Request& request) const {
  const auto body = ParseBody(request.body);
  Fields fields(body);
  const auto content = fields.String("content");
  if (!content) throw fields.Fault("content", "a string");
  const bool special = fields.Bool("add_special").value_or(false);
  const bool parse = fields.Bool("parse_special").value_or(true);
  const bool pieces = fields.Bool("with_pieces").value_or(false);
  fields.RejectUnknown();
  Json list = Json::array();
  for (const int32_t token : engine_->Tokenize(*content, special, parse)) {
    if (!pieces) {
      list.push_back(token);
      continue;
    }
    // A piece that is no UTF-8 by itself is given as its bytes.
    const std::string bytes = engine_->TokenBytes(token, true);
    std::string rest = bytes;
    const bool text = TakeUtf8(&rest) == bytes;
    Json piece = bytes;
    if (!text) {
      piece = Json::array();
      for (const char c : bytes) piece.push_back(static_cast<unsigned char>(c));
    }
    list.push_back({{"id", token}, {"piece", std::move(piece)}});
  }
  return {{"tokens", std::move(list)}};
}

Json Server::Impl::Detokenize(const httplib::Request& request) const {
  const auto body = ParseBody(request.body);
  Fields fields(body);
  const auto* tokens = fields.Any("tokens");
  const int vocabulary = engine_->Facts().vocabulary;
  const std::string must = Join("an array of token ids from 0 to ", vocabulary - 1);
  if (!tokens || !tokens->is_array()) throw fields.Fault("tokens", must);
  fields.RejectUnknown();
  std::string bytes;
  for (const auto& token : *tokens) {
    const bool good =
        token.is_number_unsigned() && token.get<uint64_t>() < static_cast<uint64_t>(vocabulary);
    if (!good) throw fields.Fault("tokens", must);
    bytes += engine_->TokenBytes(token.get<int32_t>(), true);
  }
  return {{"content", TextStream({}).Push(bytes)}};
}

void Server::Impl::Generate(const httplib::Request& request, httplib::Response& response,
                            bool chat) {
  if (static_cast<int64_t>(request.body.size()) > options_.http.max_body_bytes) {
    throw ApiError(413, "invalid_request_error", "body_too_large",
                   Join("The body has ", request.body.size(), " bytes; this server takes ",
                        options_.http.max_body_bytes, "."));
  }
  const auto body = ParseBody(request.body);
  ApiRequest parsed = chat ? ParseChat(body, *engine_, options_.request)
                           : ParseCompletion(body, *engine_, options_.request);
  parsed.job.client = Connection::Current()->client;
  auto exchange = std::make_shared<Exchange>(&scheduler_, std::move(parsed), *engine_);
  scheduler_.Submit(exchange->job);
  if (exchange->request.stream) {
    AnswerStream(std::move(exchange), request, response);
  } else {
    AnswerWhole(exchange.get(), response);
  }
}

// The job's next event; nullopt when the client has gone, or (with `silent`) when nothing came for
// a while. kFailed is thrown as its ApiError.
std::optional<Event> Server::Impl::NextEvent(Job* job, const Connection& connection,
                                             bool* silent) const {
  while (true) {
    if (auto event = job->events.TryPop()) {
      if (event->kind == Event::Kind::kFailed) throw *event->error;
      return event;
    }
    switch (connection.WaitFor(job->events.fd(), options_.keep_alive_comment_ms)) {
      case Connection::Wait::kPeerGone:
        return std::nullopt;
      case Connection::Wait::kTimeout:
        if (silent) {
          *silent = true;
          return std::nullopt;
        }
        break;
      case Connection::Wait::kEvent:
        break;
    }
  }
}

void Server::Impl::AnswerWhole(Exchange* exchange, httplib::Response& response) const {
  Connection* connection = Connection::Current();
  while (!exchange->answer->complete()) {
    const auto event = NextEvent(exchange->job.get(), *connection, nullptr);
    if (!event) {
      connection->close_after = true;
      Note(*exchange);
      throw ApiError(499, "invalid_request_error", "client_closed", "The client went away.");
    }
    exchange->answer->Take(*event);
  }
  Note(*exchange);
  Send(response, 200, exchange->answer->Whole());
}

void Server::Impl::AnswerStream(std::shared_ptr<Exchange> exchange, const httplib::Request& request,
                                httplib::Response& response) {
  // The status line waits until the request has a slot, so that a refusal still has its status.
  Connection* connection = Connection::Current();
  exchange->first = NextEvent(exchange->job.get(), *connection, nullptr);
  if (!exchange->first) {
    connection->close_after = true;
    throw ApiError(499, "invalid_request_error", "client_closed", "The client went away.");
  }
  response.set_header("Cache-Control", "no-cache");
  response.set_header("X-Accel-Buffering", "no");
  const auto provider = [this, exchange](size_t, httplib::DataSink& sink) {
    return WriteStream(exchange.get(), &sink);
  };
  if (request.version == "HTTP/1.0") {  // knows no chunks: the end of the connection is the end
    connection->close_after = true;
    response.set_content_provider("text/event-stream", provider);
  } else {
    response.set_chunked_content_provider("text/event-stream", provider);
  }
}

bool Server::Impl::WriteStream(Exchange* exchange, httplib::DataSink* sink) {
  Connection* connection = Connection::Current();
  const auto write = [&](std::string_view text) { return sink->write(text.data(), text.size()); };
  const auto send = [&](const std::vector<std::string>& chunks) {
    std::string text;  // one write, one packet, for all that is ready
    for (const std::string& chunk : chunks) text += Join("data: ", chunk, "\n\n");
    return text.empty() || write(text);
  };
  bool good = send(exchange->answer->Take(*exchange->first));
  try {
    while (good && !exchange->answer->complete()) {
      bool silent = false;
      const auto event = NextEvent(exchange->job.get(), *connection, &silent);
      if (silent) {
        good = write(": still here\n\n");
      } else {
        good = event && send(exchange->answer->Take(*event));
      }
    }
    good = good && send(exchange->answer->Tail()) && write("data: [DONE]\n\n");
  } catch (const ApiError& error) {
    good = good && send({Dump(error.Body())});
    connection->close_after = true;
  }
  Note(*exchange);
  if (!good) {
    connection->close_after = true;
    scheduler_.Cancel(exchange->job);
    return false;
  }
  sink->done();
  return true;
}

Server::Server(Engine* engine, ServerOptions options, Log* log)
    : impl_(std::make_unique<Impl>(engine, std::move(options), log)) {}

Server::~Server() {
  const std::atomic<bool> hurry{true};
  Shutdown(&hurry);
}

int Server::Start() {
  return impl_->Start();
}
void Server::Shutdown(const std::atomic<bool>* hurry) {
  impl_->Shutdown(hurry);
}
SchedulerStats Server::Stats() const {
  return impl_->Stats();
}

}  // namespace trit::serve
