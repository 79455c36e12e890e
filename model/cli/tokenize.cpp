// trit tokenize, trit detokenize: text <-> ids separated by commas.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <memory>

#include "model/cli/command.h"
#include "model/cli/formats.h"
#include "model/tokenizer/tokenizer.h"
#include "targets/base/error.h"

namespace trit::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string prompt, file, ids;
  bool no_special = false, parse_special = false, show = false, timing = false;
};

std::string Input(const Options& options) {
  if (!options.file.empty()) return ReadInput(options.file);
  return options.prompt;
}

// Quoted, with control characters as \xNN.
std::string Shown(const std::string& bytes) {
  std::string out = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 32 && byte != 127) {
      out += c;
      continue;
    }
    char text[8];
    std::snprintf(text, sizeof(text), "\\x%02x", byte);
    out += text;
  }
  return out + "\"";
}

void Tokenize(const Options& options) {
  const auto source = Open(options.model);
  const Tokenizer tokenizer(source->Tokenizer(), options.model.path);
  PrintNotes(*source);
  const std::string text = Input(options);
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<int32_t> ids = tokenizer.Encode(
      text, {.add_special = !options.no_special, .parse_special = options.parse_special});
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (options.show) {
    for (const int32_t id : ids) {
      std::printf("%d\t%s\n", id, Shown(tokenizer.Bytes(id)).c_str());
    }
  } else {
    std::string line;
    for (const int32_t id : ids) line += Join(line.empty() ? "" : ",", id);
    std::printf("%s\n", line.c_str());
  }
  if (options.timing) {
    std::fprintf(stderr, "%zu bytes, %zu tokens, %.3f s, %.1f MB/s\n", text.size(), ids.size(),
                 seconds, static_cast<double>(text.size()) * 1e-6 / seconds);
  }
}

std::vector<int32_t> ParseIds(std::string_view text) {
  std::vector<int32_t> ids;
  const auto separator = [](char c) { return c == ',' || c == ' ' || c == '\n' || c == '\t'; };
  for (size_t at = 0; at < text.size();) {
    if (separator(text[at])) {
      ++at;
      continue;
    }
    int32_t id = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), id);
    const auto next = static_cast<size_t>(end - text.data());
    if (error != std::errc() || (next < text.size() && !separator(text[next]))) {
      throw Error(
          Join("\"", text.substr(at, 20), "\" is no list of token ids separated by commas"));
    }
    ids.push_back(id);
    at = next;
  }
  return ids;
}

void Detokenize(const Options& options) {
  const auto source = Open(options.model);
  const Tokenizer tokenizer(source->Tokenizer(), options.model.path);
  PrintNotes(*source);
  const std::string list = !options.file.empty() ? ReadInput(options.file) : options.ids;
  const std::string text = tokenizer.Decode(ParseIds(list), options.show);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace

void SetUpTokenize(CLI::App& app, int&) {
  auto options = std::make_shared<Options>();
  AddModelOptions(app, &options->model);
  auto* prompt = app.add_option("-p,--prompt", options->prompt, "the text");
  app.add_option("-f,--file", options->file, "a file with the text, - for standard input")
      ->excludes(prompt);
  app.add_flag("--no-special", options->no_special, "add no BOS and no EOS");
  app.add_flag("--parse-special", options->parse_special,
               "texts of control tokens (<|eot_id|>) become those tokens");
  app.add_flag("--show", options->show, "one token a line: id and text");
  app.add_flag("--timing", options->timing, "print the speed to standard error");
  app.footer("Example:\n  trit tokenize -m model.gguf -p \"Hello world\"");
  app.callback([options, prompt] {
    if (prompt->empty() && options->file.empty()) throw CLI::RequiredError("-p or -f");
    Tokenize(*options);
  });
}

void SetUpDetokenize(CLI::App& app, int&) {
  auto options = std::make_shared<Options>();
  AddModelOptions(app, &options->model);
  auto* ids = app.add_option("ids", options->ids, "token ids separated by commas");
  app.add_option("-f,--file", options->file, "a file with the ids, - for standard input")
      ->excludes(ids);
  app.add_flag("--special", options->show, "print control tokens too");
  app.footer("Example:\n  trit detokenize -m model.gguf 128000,9906,1917");
  app.callback([options, ids] {
    if (ids->empty() && options->file.empty()) throw CLI::RequiredError("ids or -f");
    Detokenize(*options);
  });
}

}  // namespace trit::cli
