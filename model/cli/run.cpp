// trit run: continues a text or a list of token ids.
#include <cstdio>
#include <memory>
#include <string_view>

#include "model/chat/chat_template.h"
#include "model/cli/command.h"
#include "model/cli/formats.h"
#include "model/cli/run_options.h"
#include "targets/base/error.h"

namespace trit::cli {
namespace {

struct Options {
  RunOptions run;
  SamplingFlags sampling;
  std::string prompt, file, tokens, save, load;
  int count = 128;
  bool ids = false, no_echo = false, ignore_eos = false, special = false, timing = false;
};

void Run(const Options& o) {
  const auto model = LoadModel(o.run);
  std::vector<int32_t> prompt;
  std::string text = o.prompt;
  if (!o.tokens.empty()) {
    prompt = ParseIds(o.tokens);
  } else {
    if (!o.file.empty()) text = ReadInput(o.file);
    if (text.empty()) throw Error("nothing to continue: give -p TEXT, -f FILE or --tokens IDS");
    prompt = model->tokenizer().Encode(text, {.add_special = true, .parse_special = o.special});
  }
  Session session(*model);
  if (!o.load.empty()) session.Load(o.load);
  CatchInterrupts();
  const bool echo = !o.ids && !o.no_echo && o.tokens.empty();
  if (echo) std::printf("%s", text.c_str());
  std::fflush(stdout);
  bool first = true;
  const Generated got = Generate(*model, session, prompt, o.count, o.sampling, !o.ignore_eos,
                                 [&](const std::string& piece, int32_t id) {
                                   if (o.ids) {
                                     if (id >= 0) std::printf("%s%d", first ? "" : ",", id);
                                     first = false;
                                   } else {
                                     std::fwrite(piece.data(), 1, piece.size(), stdout);
                                   }
                                   std::fflush(stdout);
                                 });
  std::printf("\n");
  std::fflush(stdout);  // before anything that goes to stderr
  if (std::string_view(got.ended) == "context" && !o.run.quiet) {
    std::fprintf(stderr, "note: stopped, the context of %d tokens is full\n", model->context());
  }
  if (!o.save.empty()) session.Save(o.save);
  if (o.timing) {
    std::fprintf(
        stderr,
        "prompt %zu tokens in %.3f s (%.1f/s), %zu generated in %.3f s (%.1f/s), ended by %s\n",
        prompt.size(), got.prompt_seconds, static_cast<double>(prompt.size()) / got.prompt_seconds,
        got.tokens.size(), got.seconds,
        static_cast<double>(got.tokens.size()) / std::max(got.seconds, 1e-9), got.ended);
  }
}

}  // namespace

void SetUpRun(CLI::App& app, int&) {
  auto o = std::make_shared<Options>();
  AddRunOptions(app, &o->run);
  AddSamplingOptions(app, &o->sampling);
  auto* prompt = app.add_option("-p,--prompt", o->prompt, "text to continue");
  auto* file = app.add_option("-f,--file", o->file, "text from a file, - for standard input");
  auto* tokens = app.add_option("--tokens", o->tokens, "token ids, taken as they are: 1,2,3");
  prompt->excludes(file)->excludes(tokens);
  file->excludes(tokens);
  app.add_option("-n,--predict", o->count, "tokens to generate; -1 = until the context ends")
      ->capture_default_str();
  app.add_flag("--ids", o->ids, "print ids in place of text");
  app.add_flag("--no-echo", o->no_echo, "do not repeat the prompt");
  app.add_flag("--ignore-eos", o->ignore_eos, "go on after stop tokens");
  app.add_flag("--special", o->special, "control tokens in the prompt's text count as such");
  app.add_flag("--timing", o->timing, "speeds to standard error");
  app.add_option("--save-session", o->save, "write tokens and cache to a file afterwards");
  app.add_option("--load-session", o->load, "go on from a saved session");
  app.footer(
      "Examples:\n"
      "  trit run -p \"Once upon a time\" -n 64\n"
      "  trit run -m model.gguf --tokens 1,2,3 -n 32 --temp 0 --ids");
  app.callback([o] { Run(*o); });
}

}  // namespace trit::cli
