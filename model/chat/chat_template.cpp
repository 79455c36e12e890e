#include "model/chat/chat_template.h"

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr ChatTemplate kTemplates[] = {
    // BitNet b1.58 2B4T: "User: text<|eot_id|>Assistant: ". The script in its published GGUF is
    // wrong; its architecture names this one.
    {"bitnet", "capitalize", true, true, true, "", ": ", "<|eot_id|>", ": "},
    {"llama3", "<|start_header_id|>", true, true, false, "<|start_header_id|>",
     "<|end_header_id|>\n\n", "<|eot_id|>", "<|end_header_id|>\n\n"},
    {"chatml", "<|im_start|>", false, false, false, "<|im_start|>", "\n", "<|im_end|>\n", "\n"},
};

std::string Role(const ChatTemplate& chat, std::string role) {
  if (chat.capitalises && !role.empty() && role[0] >= 'a' && role[0] <= 'z') {
    role[0] = static_cast<char>(role[0] - 32);
  }
  return role;
}

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\v\f";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

std::span<const ChatTemplate> ChatTemplates() {
  return kTemplates;
}

const ChatTemplate& FindChatTemplate(std::string_view name) {
  std::string names;
  for (const ChatTemplate& chat : kTemplates) {
    if (chat.name == name) return chat;
    names += Join(names.empty() ? "" : ", ", chat.name);
  }
  throw Error(Join("no chat template is called '", name, "'; there are ", names));
}

const ChatTemplate& RecogniseChatTemplate(std::string_view name, std::string_view file_template) {
  if (!name.empty()) return FindChatTemplate(name);
  // Headers and im_start are the more telling marks; a bitnet script has none of them.
  for (const char* candidate : {"llama3", "chatml", "bitnet"}) {
    const ChatTemplate& chat = FindChatTemplate(candidate);
    if (file_template.find(chat.mark) != std::string_view::npos) return chat;
  }
  throw Error(Join(file_template.empty() ? "the model's files have no chat template"
                                         : "the chat template in the model's files is none of "
                                           "those known here",
                   "; known are bitnet, llama3 and chatml"));
}

std::vector<int32_t> EncodeChat(const Tokenizer& tokenizer, const ChatTemplate& chat,
                                std::span<const ChatTurn> turns) {
  std::vector<int32_t> out;
  if (chat.begins && tokenizer.spec().bos >= 0) out.push_back(tokenizer.spec().bos);
  // Text between control tokens is encoded in one go: "User: hello" as one string, so that its
  // tokens are those of the training data.
  std::string plain;
  const auto flush = [&] {
    const auto ids = tokenizer.Encode(plain, {.add_special = false, .parse_special = false});
    out.insert(out.end(), ids.begin(), ids.end());
    plain.clear();
  };
  // The template's own texts may hold control tokens: "<|…|>" becomes one.
  const auto add = [&](std::string_view text) {
    while (!text.empty()) {
      const size_t open = text.find("<|");
      const size_t close = open == std::string_view::npos ? open : text.find("|>", open);
      if (close == std::string_view::npos) break;
      plain += text.substr(0, open);
      const auto name = text.substr(open, close + 2 - open);
      const int32_t id = tokenizer.FindToken(name);
      if (id < 0) {
        throw Error(Join("the chat template ", chat.name, " needs the token ", name,
                         ", which the vocabulary lacks"));
      }
      flush();
      out.push_back(id);
      text.remove_prefix(close + 2);
    }
    plain += text;
  };
  for (const ChatTurn& turn : turns) {
    add(Join(chat.before, Role(chat, turn.role), chat.after_role));
    plain += chat.trims ? Trimmed(turn.content) : std::string_view(turn.content);
    add(chat.end);
  }
  add(Join(chat.before, Role(chat, "assistant"), chat.ask));
  flush();
  return out;
}

}  // namespace trit
