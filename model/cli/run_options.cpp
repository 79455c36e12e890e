#include "model/cli/run_options.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "model/encoding/encoding.h"
#include "targets/base/error.h"

namespace trit::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

void OnInterrupt(int) {
  if (interrupted != 0) _exit(130);
  interrupted = 1;
}

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void AddRunOptions(CLI::App& app, RunOptions* o) {
  app.add_option("-m,--model", o->path,
                 "a GGUF file or a Hugging Face folder; without it the bundled model");
  app.add_option("--i2s-order", o->i2s_order, "order of I2_S codes: 128 (published), 64, row4");
  app.add_option("-t,--threads", o->threads, "0 = one a core")
      ->check(CLI::Range(0, ThreadPool::kMaxThreads));
  app.add_option("-c,--ctx", o->context, "longest sequence; 0 = the model's own limit")
      ->check(CLI::Range(0, 1 << 24));
  app.add_option("-b,--batch", o->batch, "tokens of one forward pass at most")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  app.add_option("--kv", o->kv, "KV cache: f16, f32 or int8")->capture_default_str();
  app.add_option("--isa", o->isa, "a target of targets/ in place of the CPU's best");
  app.add_option("--family", o->family, "kernel family to prefer (mad2, lut3w, lut5, ...)");
  app.add_option("--library", o->libraries, "kernel library files, strongest first");
  app.add_option("--head", o->head,
                 "re-quantise head and embedding on load: " + DenseEncodingNames(true));
  app.add_option("--activation", o->activation, "relu2 or silu in place of the model's");
  app.add_flag("--no-cache", o->no_cache, "neither read nor write packed weights on disk");
  app.add_flag("--explain", o->explain, "print which kernel each tensor uses, and why");
  app.add_flag("-q,--quiet", o->quiet, "no notes and no progress");
}

std::string BundledModelPath() {
  namespace fs = std::filesystem;
  constexpr const char* kName = "tritforge-tiny.gguf";
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  std::string looked;
  for (const fs::path& path : {program.parent_path() / "../share/tritforge" / kName,
                               program.parent_path() / "../../../model/bundled" / kName,
                               fs::path(TRIT_SOURCE_DIR) / "model/bundled" / kName}) {
    if (fs::is_regular_file(path, error)) return path.lexically_normal();
    looked += (looked.empty() ? "" : ", ") + path.lexically_normal().string();
  }
  throw Error(
      Join("no model was given (-m) and the bundled one is not there; looked for ", looked));
}

std::unique_ptr<Model> LoadModel(const RunOptions& o) {
  ::trit::ModelOptions options;
  options.open.i2s_order = ParseI2sOrder(o.i2s_order);
  options.threads = o.threads;
  options.context = o.context;
  options.batch = o.batch;
  options.kv = ops::ParseKvType(o.kv);
  options.isa = o.isa;
  options.family = o.family;
  options.libraries = o.libraries;
  options.head = o.head;
  options.activation = o.activation;
  if (o.no_cache) options.cache_folder = "";
  const double start = Now();
  bool shown = false;
  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (!o.quiet) {
    options.progress = [&](double done, double total, const char* what) {
      if (Now() - start < 1.0 && !shown) return;
      if (!terminal && shown && done < total) return;
      shown = true;
      std::fprintf(stderr, "%s%s: %3.0f %%%s", terminal ? "\r" : "", what, 100 * done / total,
                   terminal ? "        " : "\n");
    };
  }
  auto model = Model::Load(o.path.empty() ? BundledModelPath() : o.path, options);
  if (shown && terminal) std::fprintf(stderr, "\r%40s\r", "");
  if (!o.quiet) {
    for (const std::string& note : model->notes()) {
      std::fprintf(stderr, "note: %s\n", note.c_str());
    }
  }
  if (o.explain) std::fprintf(stderr, "%s", model->Explain().c_str());
  return model;
}

void AddSamplingOptions(CLI::App& app, SamplingFlags* f) {
  SamplingOptions& s = f->sampling;
  app.add_option("--temp", s.temperature, "0 = greedy")
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  app.add_option("--top-k", s.top_k, "0 = all")->check(CLI::NonNegativeNumber);
  app.add_option("--top-p", s.top_p, "1 = all")->check(CLI::Range(0.0, 1.0));
  app.add_option("--min-p", s.min_p, "0 = all")->check(CLI::Range(0.0, 1.0));
  app.add_option("--typical", s.typical_p, "locally typical sampling; 1 = off")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--repeat-penalty", s.repeat_penalty, "1 = none")->check(CLI::Range(0.01, 100.0));
  app.add_option("--repeat-last-n", s.repeat_last_n, "tokens the penalty looks back");
  app.add_option("--presence-penalty", s.presence_penalty, "0 = none");
  app.add_option("--frequency-penalty", s.frequency_penalty, "0 = none");
  app.add_option("--mirostat-tau", s.mirostat_tau, "mirostat 2's target surprise in bits; 0 = off")
      ->check(CLI::Range(0.0, 20.0));
  app.add_option("--mirostat-eta", s.mirostat_eta, "mirostat 2's learning rate")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("-s,--seed", f->seed, "-1 = from the clock");
  app.add_option("--logit-bias", f->logit_bias, "ID=VALUE added to that token's logit");
  app.add_option("--stop", f->stop, "text that ends the generation (may be given again)");
}

SamplingOptions Resolved(const SamplingFlags& flags) {
  SamplingOptions s = flags.sampling;
  s.seed = flags.seed >= 0
               ? static_cast<uint64_t>(flags.seed)
               : static_cast<uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
  for (const std::string& text : flags.logit_bias) {
    int32_t id = 0;
    float value = 0;
    const char* end = text.data() + text.size();
    const auto first = std::from_chars(text.data(), end, id);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '=' ||
        std::from_chars(first.ptr + 1, end, value).ptr != end) {
      throw Error(Join("--logit-bias ", text, ": wanted ID=VALUE, as in 128009=-5"));
    }
    s.logit_bias.emplace_back(id, value);
  }
  return s;
}

std::vector<int32_t> ParseIds(const std::string& text) {
  std::vector<int32_t> ids;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    while (at < end && (*at == ',' || *at == ' ' || *at == '\n')) ++at;
    if (at == end) break;
    int32_t id = 0;
    const auto [stop, error] = std::from_chars(at, end, id);
    if (error != std::errc() || (stop < end && *stop != ',' && *stop != ' ' && *stop != '\n')) {
      throw Error(Join("'", std::string(at, std::min(end, at + 12)),
                       "' is not a token id; wanted numbers separated by commas"));
    }
    ids.push_back(id);
    at = stop;
  }
  if (ids.empty()) throw Error("the list of token ids is empty");
  return ids;
}

void CatchInterrupts() {
  struct sigaction action {};
  action.sa_handler = OnInterrupt;
  sigaction(SIGINT, &action, nullptr);
}
bool Interrupted() {
  return interrupted != 0;
}
void ClearInterrupt() {
  interrupted = 0;
}

Generated Generate(Model& model, Session& session, std::span<const int32_t> prompt, int count,
                   const SamplingFlags& flags, bool stop_tokens,
                   const std::function<void(const std::string& piece, int32_t id)>& out) {
  Generated result;
  Sampler sampler(Resolved(flags));
  for (const int32_t id : session.tokens()) sampler.Accept(id, false);
  for (const int32_t id : prompt) sampler.Accept(id, false);
  const bool text = model.has_tokenizer();
  const std::vector<int32_t> stops =
      text && stop_tokens ? model.StopTokens() : std::vector<int32_t>{};
  std::unique_ptr<StreamDecoder> decoder;
  if (text) decoder = std::make_unique<StreamDecoder>(model.tokenizer());
  size_t longest = 0;
  for (const std::string& stop : flags.stop) longest = std::max(longest, stop.size());
  std::string held;  // could still become a stop string
  // Gives out what cannot be part of a stop string; true when one was found.
  const auto push = [&](const std::string& piece, int32_t id, bool end) {
    held += piece;
    for (const std::string& stop : flags.stop) {
      const size_t at = stop.empty() ? std::string::npos : held.find(stop);
      if (at == std::string::npos) continue;
      result.text += held.substr(0, at);
      out(held.substr(0, at), id);
      held.clear();
      return true;
    }
    size_t keep = 0;
    for (size_t n = std::min(held.size(), longest); !end && n > 0 && keep == 0; --n) {
      for (const std::string& stop : flags.stop) {
        if (stop.size() > n && stop.compare(0, n, held, held.size() - n, n) == 0) keep = n;
      }
    }
    const std::string ready = held.substr(0, held.size() - keep);
    held.erase(0, ready.size());
    result.text += ready;
    out(ready, id);
    return false;
  };

  const double start = Now();
  const float* ready = session.Feed(prompt, Interrupted);
  result.prompt_seconds = Now() - start;
  float* logits = const_cast<float*>(ready);
  const double decode_start = Now();
  while (logits != nullptr && (count < 0 || static_cast<int>(result.tokens.size()) < count)) {
    if (Interrupted()) break;
    const int32_t id = sampler.Sample({logits, static_cast<size_t>(model.config().vocabulary)});
    if (std::find(stops.begin(), stops.end(), id) != stops.end()) {
      result.ended = "stop";
      break;
    }
    sampler.Accept(id, true);
    result.tokens.push_back(id);
    if (push(text ? decoder->Push(id) : "", id, false)) {
      result.ended = "stop";
      break;
    }
    if (session.room() == 0) {
      result.ended = "context";
      break;
    }
    if (count >= 0 && static_cast<int>(result.tokens.size()) >= count) break;
    logits = session.Feed({&id, 1});
  }
  if (Interrupted()) result.ended = "interrupted";
  result.seconds = Now() - decode_start;
  if (text) push(decoder->Finish(), -1, true);
  return result;
}

}  // namespace trit::cli
