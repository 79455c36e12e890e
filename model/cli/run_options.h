// What the commands that run a model share: loading options, sampling options, generation.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "model/sampling/sampler.h"
#include "model/session/model.h"

namespace trit::cli {

struct RunOptions {
  std::string path, i2s_order = "128", kv = "f16", isa, family, head, activation;
  std::vector<std::string> libraries;
  int threads = 0, context = 0, batch = 256;
  bool no_cache = false, explain = false, quiet = false;
};

// -m, --threads, --ctx, --kv, --isa, --family, --head, --activation, --library, --no-cache ...
void AddRunOptions(CLI::App& app, RunOptions* options);
// Loads with progress and notes on standard error; without -m the bundled model. With --explain the
// choice of kernels goes to standard error too.
std::unique_ptr<Model> LoadModel(const RunOptions& options);
// The bundled model's file, or an Error that says where it was looked for.
std::string BundledModelPath();

struct SamplingFlags {
  SamplingOptions sampling;
  std::vector<std::string> logit_bias;  // "id=value"
  std::vector<std::string> stop;        // strings
  int64_t seed = -1;                    // -1: from the clock
};
void AddSamplingOptions(CLI::App& app, SamplingFlags* flags);
// Checked and complete: logit_bias parsed, a seed chosen.
SamplingOptions Resolved(const SamplingFlags& flags);

// "1,2,3" as ids; an Error names what is no number.
std::vector<int32_t> ParseIds(const std::string& text);

// True once Ctrl-C was pressed since the last ClearInterrupt(). A second Ctrl-C ends the program.
void CatchInterrupts();
bool Interrupted();
void ClearInterrupt();

struct Generated {
  std::vector<int32_t> tokens;
  std::string text;
  const char* ended = "length";  // "length", "stop", "context", "interrupted"
  double prompt_seconds = 0, seconds = 0;
};

// Feeds `prompt` (what the session does not hold yet) and generates up to `count` tokens (< 0:
// until the context ends). `out` gets whole UTF-8 pieces as they come and every id; stop strings
// are not given out.
Generated Generate(Model& model, Session& session, std::span<const int32_t> prompt, int count,
                   const SamplingFlags& flags, bool stop_tokens,
                   const std::function<void(const std::string& piece, int32_t id)>& out);

}  // namespace trit::cli
