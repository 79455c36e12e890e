// trit chat: a conversation in the terminal.
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>

#include "model/chat/chat_template.h"
#include "model/cli/command.h"
#include "model/cli/line_editor.h"
#include "model/cli/run_options.h"
#include "targets/base/error.h"

namespace trit::cli {
namespace {

struct Options {
  RunOptions run;
  SamplingFlags sampling;
  std::string system, style;
  int count = -1;
};

constexpr const char* kHelp =
    "/help          this list\n"
    "/clear         forget the conversation (the system message stays)\n"
    "/system TEXT   set the system message and forget the conversation\n"
    "/retry         ask for another reply to the last message\n"
    "/temp NUMBER   temperature, 0 = greedy\n"
    "/save FILE     write the session; /load FILE goes on from it\n"
    "/stats         tokens in the context\n"
    "/quit          end (so does Ctrl-D); Ctrl-C stops a reply\n";

class Chat {
 public:
  explicit Chat(const Options& options)
      : options_(options), model_(LoadModel(options.run)), session_(*model_) {
    std::string why;
    style_ =
        options.style.empty() ? &ChatTemplateOf(*model_, &why) : &FindChatTemplate(options.style);
    if (!why.empty() && !options.run.quiet) std::fprintf(stderr, "note: %s\n", why.c_str());
    Clear();
  }

  void Run() {
    CatchInterrupts();
    const bool terminal = isatty(STDIN_FILENO) != 0;
    LineEditor editor(terminal);
    if (terminal) std::fprintf(stderr, "/help lists the commands.\n");
    std::string line;
    while (editor.Read("> ", &line)) {
      if (line.empty()) continue;
      try {
        if (line[0] == '/') {
          if (!Command(line)) return;
          continue;
        }
        messages_.push_back({"user", line});
        Reply();
      } catch (const Error& e) {
        std::fprintf(stderr, "trit: %s\n", e.what());
      }
    }
  }

 private:
  void Clear() {
    messages_.clear();
    if (!options_.system.empty()) messages_.push_back({"system", options_.system});
  }

  bool Command(const std::string& line) {
    const size_t blank = line.find(' ');
    const std::string name = line.substr(0, blank);
    const std::string rest = blank == std::string::npos ? "" : line.substr(blank + 1);
    if (name == "/quit" || name == "/exit") return false;
    if (name == "/help") {
      std::fprintf(stderr, "%s", kHelp);
    } else if (name == "/clear") {
      Clear();
    } else if (name == "/system") {
      options_.system = rest;
      Clear();
    } else if (name == "/retry") {
      if (!messages_.empty() && messages_.back().role == "assistant") messages_.pop_back();
      if (messages_.empty() || messages_.back().role != "user") throw Error("nothing to retry");
      Reply();
    } else if (name == "/temp") {
      try {
        options_.sampling.sampling.temperature = std::stof(rest);
      } catch (const std::exception&) {
        throw Error("/temp wants a number");
      }
    } else if (name == "/save" || name == "/load") {
      if (rest.empty()) throw Error(name + " wants a file name");
      name == "/save" ? session_.Save(rest) : session_.Load(rest);
    } else if (name == "/stats") {
      std::fprintf(stderr, "%lld of %d tokens\n", static_cast<long long>(session_.length()),
                   model_->context());
    } else {
      throw Error(Join("unknown command ", name, "; /help lists them"));
    }
    return true;
  }

  void Reply() {
    std::vector<int32_t> prompt = ChatPrompt(model_->tokenizer(), *style_, messages_);
    // The oldest exchanges go when the conversation no longer fits; the system message stays.
    const size_t keep = !messages_.empty() && messages_[0].role == "system" ? 1 : 0;
    while (static_cast<int>(prompt.size()) > model_->context() * 3 / 4 &&
           messages_.size() > keep + 2) {
      messages_.erase(messages_.begin() + static_cast<ptrdiff_t>(keep),
                      messages_.begin() + static_cast<ptrdiff_t>(keep) + 2);
      prompt = ChatPrompt(model_->tokenizer(), *style_, messages_);
      std::fprintf(stderr, "note: the oldest exchange was dropped to fit the context\n");
    }
    const int64_t known = session_.Reuse(prompt);
    ClearInterrupt();
    Generated got;
    try {
      got =
          Generate(*model_, session_, std::span(prompt).subspan(static_cast<size_t>(known)),
                   options_.count, options_.sampling, true, [](const std::string& piece, int32_t) {
                     std::fwrite(piece.data(), 1, piece.size(), stdout);
                     std::fflush(stdout);
                   });
    } catch (const Error&) {
      messages_.pop_back();
      throw;
    }
    std::printf("\n");
    std::fflush(stdout);
    if (std::string_view(got.ended) == "context") {
      std::fprintf(stderr, "note: the context of %d tokens is full\n", model_->context());
    }
    ClearInterrupt();
    messages_.push_back({"assistant", got.text});
  }

  Options options_;
  std::unique_ptr<Model> model_;
  Session session_;
  const ChatTemplate* style_ = nullptr;
  std::vector<ChatMessage> messages_;
};

}  // namespace

void SetUpChat(CLI::App& app, int&) {
  auto o = std::make_shared<Options>();
  AddRunOptions(app, &o->run);
  AddSamplingOptions(app, &o->sampling);
  app.add_option("--system", o->system, "system message");
  app.add_option("--template", o->style,
                 "bitnet, llama3, chatml, falcon3 or plain in place of the model's own");
  app.add_option("-n,--predict", o->count, "longest reply in tokens; -1 = until the model stops");
  app.footer("Example:\n  trit chat -m model.gguf --system \"You answer briefly.\"");
  app.callback([o] { Chat(*o).Run(); });
}

}  // namespace trit::cli
