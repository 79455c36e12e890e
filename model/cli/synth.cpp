// trit synth: a random ternary model of a real shape.
#include "model/convert/synth.h"

#include <cstdio>
#include <filesystem>
#include <memory>

#include "model/cli/command.h"
#include "model/cli/formats.h"
#include "model/convert/synth_vocabulary.h"
#include "model/tokenizer/tiktoken.h"
#include "runtime/cpu_count.h"
#include "targets/base/error.h"

namespace trit::cli {
namespace {

struct Options {
  std::string preset = "2b4t", output, vocabulary;
  SynthOptions synth;
  bool force = false;
};

void Run(const Options& options) {
  const Preset& preset = FindPreset(options.preset);
  if (std::filesystem::exists(options.output) && !options.force) {
    throw Error(Join(options.output, " exists; --force writes over it"));
  }
  TokenizerSpec vocabulary;
  if (options.vocabulary.empty()) {
    vocabulary = SynthVocabulary(preset.vocab);
  } else {
    vocabulary = ReadTiktoken(ReadInput(options.vocabulary), options.vocabulary);
    RanksToMerges(&vocabulary);
    if (vocabulary.tokens.size() != preset.vocab) {
      std::fprintf(stderr, "note: the vocabulary has %zu tokens where the preset has %u\n",
                   vocabulary.tokens.size(), preset.vocab);
    }
  }
  const uint64_t bytes = SynthModel(preset, vocabulary, options.output, options.synth);
  std::fprintf(stderr, "%s: %s\n", options.output.c_str(), HumanBytes(bytes).c_str());
}

}  // namespace

void SetUpSynth(CLI::App& app, int&) {
  auto options = std::make_shared<Options>();
  options->synth.threads = CountCpus().default_threads;
  std::string names;
  for (const Preset& preset : Presets()) names += Join(names.empty() ? "" : ", ", preset.name);
  app.add_option("--preset", options->preset, "shape: " + names)->capture_default_str();
  app.add_option("-o,--output", options->output, "the GGUF file to write")->required();
  app.add_option("--seed", options->synth.seed, "equal seeds give equal models")
      ->capture_default_str();
  app.add_option("--type", options->synth.type, "ternary encoding: i2_s, tq2_0, tq1_0")
      ->capture_default_str();
  app.add_option("--head", options->synth.head,
                 "encoding of embedding and head: f32, f16, bf16, q8_0, q6_k, q4_0")
      ->capture_default_str();
  app.add_option("--vocab", options->vocabulary, "a tiktoken rank file; without it a made-up one");
  app.add_option("--dead-ffn", options->synth.dead_ffn,
                 "share of FFN neurons whose gate and up rows are zero")
      ->capture_default_str();
  app.add_option("-t,--threads", options->synth.threads, "threads")->check(CLI::Range(1, 1024));
  app.add_flag("--force", options->force, "write over an existing file");
  app.footer("Example:\n  trit synth --preset 2b4t --head q6_k -o 2b4t.gguf");
  app.callback([options] { Run(*options); });
}

}  // namespace trit::cli
