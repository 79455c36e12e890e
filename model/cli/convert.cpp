// trit convert: a model -> a GGUF file with I2_S, TQ2_0 or TQ1_0 weights.
#include "model/convert/convert.h"

#include <cstdio>
#include <filesystem>
#include <memory>

#include "model/cli/command.h"
#include "model/cli/formats.h"
#include "runtime/cpu_count.h"
#include "targets/base/error.h"

namespace trit::cli {
namespace {

struct Options {
  ModelOptions model;
  ConvertOptions convert;
  std::string output;
  bool force = false;
};

void Run(const Options& options) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::exists(options.output) && fs::equivalent(options.model.path, options.output, ignored)) {
    throw Error("the output is the input: give another name with -o");
  }
  if (fs::exists(options.output) && !options.force) {
    throw Error(Join(options.output, " exists; --force writes over it"));
  }
  const auto source = Open(options.model);
  const ConvertReport report = ConvertModel(*source, options.output, options.convert);
  PrintNotes(*source);
  std::fprintf(stderr, "%s: %s, %lld ternary tensors (%.3f G trits), %lld others%s\n",
               options.output.c_str(), HumanBytes(report.bytes).c_str(),
               static_cast<long long>(report.ternary_tensors),
               static_cast<double>(report.trits) * 1e-9,
               static_cast<long long>(report.dense_tensors),
               options.convert.verify ? "; read back and found equal" : "");
}

}  // namespace

void SetUpConvert(CLI::App& app, int&) {
  auto options = std::make_shared<Options>();
  options->convert.threads = CountCpus().default_threads;
  app.add_option("model", options->model.path, "a GGUF file or a Hugging Face folder")->required();
  app.add_option("--i2s-order", options->model.i2s_order, "order of I2_S codes in the source")
      ->capture_default_str();
  app.add_option("-o,--output", options->output, "the GGUF file to write")->required();
  app.add_option("--type", options->convert.type, "ternary encoding: i2_s, tq2_0, tq1_0")
      ->capture_default_str();
  app.add_option("--head", options->convert.head,
                 "encoding of embedding and head: keep, f32, f16, bf16, q8_0, q6_k, q4_0")
      ->capture_default_str();
  app.add_option("-t,--threads", options->convert.threads, "threads")->check(CLI::Range(1, 1024));
  app.add_flag("--force", options->force, "write over an existing file");
  app.add_flag("!--no-verify", options->convert.verify, "do not read the result back");
  app.footer(
      "Examples:\n"
      "  trit convert bitnet-b1.58-2B-4T/ -o model.gguf\n"
      "  trit convert model.gguf --type tq1_0 --head q6_k -o small.gguf");
  app.callback([options] { Run(*options); });
}

}  // namespace trit::cli
