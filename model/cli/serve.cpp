// trit serve: an OpenAI-compatible server and a chat page for one model.
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <thread>

#include "model/cli/command.h"
#include "model/serve/model_engine.h"
#include "model/serve/server.h"
#include "targets/base/error.h"

namespace trit::cli {
namespace {

struct Options {
  std::string model;
  std::string alias;
  std::string key_file;
  std::string log = "text";
  std::string kv = "f16";
  int64_t cache_tokens = 0;
  double max_body_mb = 1;
  double wait_seconds = 120;
  double request_seconds = 900;
  double shutdown_seconds = 30;
  int slots = 8;
  bool no_page = false;
  ModelOptions load;
  serve::ServerOptions server;
};

std::vector<std::string> ReadKeys(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Error(Join("cannot read the key file ", path));
  std::vector<std::string> keys;
  for (std::string line; std::getline(file, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty() && line[0] != '#') keys.push_back(line);
  }
  if (keys.empty()) throw Error(Join("the key file ", path, " has no key in it (one a line)"));
  return keys;
}

// SIGINT and SIGTERM are taken by sigwait in this thread; no handler runs anywhere.
sigset_t BlockSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return set;
}

void Run(Options options) {
  const auto ms = [](double seconds) { return static_cast<int64_t>(seconds * 1000); };
  const sigset_t signals = BlockSignals();
  serve::Log log(options.log == "json"   ? serve::Log::Form::kJson
                 : options.log == "none" ? serve::Log::Form::kOff
                                         : serve::Log::Form::kText);
  serve::ServerOptions& server_options = options.server;
  if (!options.key_file.empty()) {
    const auto keys = ReadKeys(options.key_file);
    server_options.api_keys.insert(server_options.api_keys.end(), keys.begin(), keys.end());
  }
  for (const std::string& key : server_options.api_keys) {
    if (key.empty()) throw Error("an API key must not be empty");
  }
  options.load.kv = options.kv == "f32" ? ops::KvType::kF32 : ops::KvType::kF16;
  // The pool's limit must be known before the model is loaded, its context only after: without a
  // number of its own, the cache holds every slot's whole context.
  {
    const auto source = OpenModel(options.model, options.load.open);
    std::vector<std::string> notes;
    const Config config = ReadConfig(*source, {}, &notes);
    const int64_t context = options.load.context ? options.load.context : config.context;
    const int64_t tokens =
        options.cache_tokens ? options.cache_tokens : context * int64_t{options.slots};
    options.load.kv_pages = (tokens + 63) / 64 + (options.cache_tokens ? 0 : options.slots);
  }
  options.load.batch = server_options.scheduler.max_step_rows;
  std::unique_ptr<Model> model = Model::Load(options.model, options.load);
  for (const std::string& note : model->notes()) log.Write("note", {{"what", note}});
  serve::ModelEngine engine(std::move(model), {options.slots, options.alias});

  server_options.scheduler.max_wait_ms = ms(options.wait_seconds);
  server_options.scheduler.max_request_ms = ms(options.request_seconds);
  server_options.shutdown_ms = ms(options.shutdown_seconds);
  server_options.http.max_body_bytes = static_cast<int64_t>(options.max_body_mb * (1 << 20));
  server_options.page = !options.no_page;
  const std::string host = server_options.host;
  const bool open = server_options.api_keys.empty();
  serve::Server server(&engine, server_options, &log);
  const int port = server.Start();
  log.Write("listening", {{"url", Join("http://", host, ":", port, "/")},
                          {"model", engine.Facts().model_id},
                          {"slots", options.slots},
                          {"threads", engine.Facts().threads},
                          {"keys", static_cast<int64_t>(server_options.api_keys.size())}});
  if (open && host != "localhost" && host != "::1" && !host.starts_with("127.")) {
    log.Write("warning", {{"what",
                           "the server can be reached from other machines and asks for no "
                           "key: consider --api-key-file"}});
  }

  int received = 0;
  sigwait(&signals, &received);
  log.Write("stopping", {{"signal", received}, {"running", server.Stats().running}});
  std::atomic<bool> hurry{false}, done{false};
  std::thread second([&] {  // a second signal cuts what still runs
    const timespec slice{0, 100'000'000};
    while (!done) hurry = hurry || sigtimedwait(&signals, nullptr, &slice) > 0;
  });
  server.Shutdown(&hurry);
  done = true;
  second.join();
  log.Write("stopped", {{"answer_tokens", server.Stats().answer_tokens}});
}

}  // namespace

void SetUpServe(CLI::App& app, int&) {
  auto options = std::make_shared<Options>();
  serve::ServerOptions& server = options->server;
  // Each option has an environment variable beside it: the configuration of services.
  const auto add = [&app](const char* name, auto& value, const char* help, const char* variable) {
    return app.add_option(name, value, help)->envname(variable)->capture_default_str();
  };
  add("model,-m,--model", options->model, "GGUF file or Hugging Face folder", "TRIT_MODEL")
      ->required();
  add("--host", server.host, "address to listen on", "TRIT_HOST");
  add("-p,--port", server.port, "port; 0 = a free one", "TRIT_PORT")->check(CLI::Range(0, 65535));
  add("--parallel", options->slots, "sequences answered at once", "TRIT_PARALLEL")
      ->check(CLI::Range(1, 256));
  add("-t,--threads", options->load.threads, "threads; 0 = one a core", "TRIT_THREADS")
      ->check(CLI::Range(0, ThreadPool::kMaxThreads));
  add("-c,--context", options->load.context, "longest sequence in tokens; 0 = the model's limit",
      "TRIT_CONTEXT")
      ->check(CLI::Range(0, 1 << 24));
  add("--cache-tokens", options->cache_tokens,
      "tokens the KV cache holds over all sequences and kept prefixes; 0 = context x parallel",
      "TRIT_CACHE_TOKENS")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 34));
  add("--kv", options->kv, "KV cache's numbers", "TRIT_KV")->check(CLI::IsMember({"f16", "f32"}));
  add("--isa", options->load.isa, "a target of targets/ in place of the CPU's best", "TRIT_ISA");
  add("--library", options->load.libraries, "kernel library files", "TRIT_LIBRARY");
  add("--alias", options->alias, "model name in the API; empty = the file's", "TRIT_ALIAS");
  app.add_flag("--any-model", server.request.any_model, "answer requests for other names too")
      ->envname("TRIT_ANY_MODEL");
  add("--api-key", server.api_keys, "key that requests must carry; repeatable", "TRIT_API_KEY");
  add("--api-key-file", options->key_file, "file with a key a line", "TRIT_API_KEY_FILE");
  add("--cors-origin", server.cors_origins, "origin whose pages may ask; * = all; repeatable",
      "TRIT_CORS_ORIGIN");
  add("--allow-host", server.allowed_hosts,
      "Host name accepted besides localhost while listening on loopback; repeatable",
      "TRIT_ALLOW_HOST");
  app.add_flag("--trust-proxy", server.trust_proxy, "clients are told apart by X-Forwarded-For")
      ->envname("TRIT_TRUST_PROXY");
  app.add_flag("--no-page", options->no_page, "no chat page at /")->envname("TRIT_NO_PAGE");
  add("--max-waiting", server.scheduler.max_waiting, "sequences that may wait; more get 429",
      "TRIT_MAX_WAITING")
      ->check(CLI::Range(0, 1 << 20));
  add("--max-waiting-per-client", server.scheduler.max_waiting_per_client,
      "likewise for one client", "TRIT_MAX_WAITING_PER_CLIENT")
      ->check(CLI::Range(0, 1 << 20));
  add("--wait-seconds", options->wait_seconds, "longest wait for a slot; then 503",
      "TRIT_WAIT_SECONDS")
      ->check(CLI::Range(0.1, 1e6));
  add("--request-seconds", options->request_seconds, "longest answer; then cut",
      "TRIT_REQUEST_SECONDS")
      ->check(CLI::Range(0.1, 1e6));
  add("--shutdown-seconds", options->shutdown_seconds, "how long answers may end after SIGTERM",
      "TRIT_SHUTDOWN_SECONDS")
      ->check(CLI::Range(0.0, 1e6));
  add("--max-connections", server.http.max_connections, "open connections; more get 503",
      "TRIT_MAX_CONNECTIONS")
      ->check(CLI::Range(1, 16384));
  add("--max-body-mb", options->max_body_mb, "largest request body in MiB; more gets 413",
      "TRIT_MAX_BODY_MB")
      ->check(CLI::Range(0.001, 1024.0));
  add("--stall-factor", server.scheduler.stall_factor,
      "how much longer a step may take while another's prompt is read", "TRIT_STALL_FACTOR")
      ->check(CLI::Range(1.0, 100.0));
  add("--max-step-rows", server.scheduler.max_step_rows, "tokens of one forward pass at most",
      "TRIT_MAX_STEP_ROWS")
      ->check(CLI::Range(16, 4096));
  add("--log", options->log, "lines on stderr", "TRIT_LOG")
      ->check(CLI::IsMember({"text", "json", "none"}));
  app.callback([options] { Run(*options); });
}

}  // namespace trit::cli
