// trit logits: the raw output of the network, for comparing it with others.
#include <cstdio>
#include <memory>

#include "model/cli/command.h"
#include "model/cli/run_options.h"
#include "targets/base/error.h"

namespace trit::cli {
namespace {

struct Options {
  RunOptions run;
  std::string tokens, output;
};

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

void Run(const Options& o) {
  const std::vector<int32_t> tokens = ParseIds(o.tokens);
  const auto model = LoadModel(o.run);
  const std::unique_ptr<std::FILE, Closer> file(std::fopen(o.output.c_str(), "wb"));
  if (file == nullptr) throw Error(Join("cannot write ", o.output));
  Session session(*model);
  const auto vocabulary = static_cast<size_t>(model->config().vocabulary);
  bool good = true;
  session.FeedAll(tokens, static_cast<int64_t>(tokens.size()), [&](int64_t, float* logits) {
    good = good && std::fwrite(logits, sizeof(float), vocabulary, file.get()) == vocabulary;
  });
  if (!good || std::fflush(file.get()) != 0) throw Error(Join("writing ", o.output, " failed"));
  if (!o.run.quiet) {
    std::fprintf(stderr, "%zu x %zu float32 values in %s\n", tokens.size(), vocabulary,
                 o.output.c_str());
  }
}

}  // namespace

void SetUpLogits(CLI::App& app, int&) {
  auto o = std::make_shared<Options>();
  AddRunOptions(app, &o->run);
  app.add_option("--tokens", o->tokens, "token ids, taken as they are, nothing added: 1,2,3")
      ->required();
  app.add_option("-o,--output", o->output,
                 "file of little-endian float32: the vocabulary's values for every position")
      ->required();
  app.footer("Example:\n  trit logits -m model.gguf --tokens 1,2,3 -o logits.f32");
  app.callback([o] { Run(*o); });
}

}  // namespace trit::cli
