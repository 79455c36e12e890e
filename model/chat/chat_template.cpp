#include "model/chat/chat_template.h"

#include <cctype>

#include "targets/base/error.h"

namespace trit {
namespace {

// BitNet's "Role: content<|eot_id|>" is the model card's; the one inside its GGUF is another
// model's. Its mark is empty: only the architecture's table names it.
constexpr ChatTemplate kTemplates[] = {
    {"bitnet", "<|begin_of_text|>", "", ": ", "<|eot_id|>", true, ""},
    {"llama3", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>\n\n", "<|eot_id|>",
     false, "<|start_header_id|>"},
    {"chatml", "", "<|im_start|>", "\n", "<|im_end|>\n", false, "<|im_start|>"},
    {"falcon3", "", "<|", "|>\n", "\n", false, "<|assistant|>"},
    {"plain", "", "", ": ", "\n", true, ""},
};

std::string Trimmed(const std::string& text) {
  const char* blanks = " \t\r\n";
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

}  // namespace

std::span<const ChatTemplate> ChatTemplates() {
  return kTemplates;
}

const ChatTemplate& FindChatTemplate(const std::string& name) {
  std::string known;
  for (const ChatTemplate& style : kTemplates) {
    if (name == style.name) return style;
    known += (known.empty() ? "" : ", ") + std::string(style.name);
  }
  throw Error(Join("unknown chat template '", name, "'; known are ", known));
}

const ChatTemplate& ChatTemplateOf(const Model& model, std::string* why) {
  const ArchFacts& facts = *model.config().facts;
  const std::string& text = model.tokenizer().spec().chat_template;
  if (facts.chat_template[0] != '\0') {
    if (why != nullptr && !text.empty() && facts.template_wins) {
      *why = Join("the chat template in the file is not used: ", facts.name,
                  " means the built-in one, '", facts.chat_template, "'");
    }
    return FindChatTemplate(facts.chat_template);
  }
  for (const ChatTemplate& style : kTemplates) {
    if (style.mark[0] != '\0' && text.find(style.mark) != std::string::npos) return style;
  }
  throw Error(Join(model.source().path(), ": ",
                   text.empty() ? "has no chat template" : "its chat template is not known",
                   "; --template names one (bitnet, llama3, chatml, falcon3, plain)"));
}

std::vector<int32_t> ChatPrompt(const Tokenizer& tokenizer, const ChatTemplate& style,
                                std::span<const ChatMessage> messages) {
  std::vector<int32_t> ids;
  const auto add = [&](std::string_view text, bool special) {
    if (text.empty()) return;
    const auto more = tokenizer.Encode(text, {.add_special = false, .parse_special = special});
    ids.insert(ids.end(), more.begin(), more.end());
  };
  const auto role_text = [&](std::string role) {
    if (style.capital_role && !role.empty()) {
      role[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(role[0])));
    }
    return std::string(style.before_role) + role + style.after_role;
  };
  const std::string_view begin = style.begin;
  if (!begin.empty() && tokenizer.FindToken(begin) >= 0) {
    ids.push_back(tokenizer.FindToken(begin));
  } else if (tokenizer.spec().add_bos && tokenizer.spec().bos >= 0) {
    ids.push_back(tokenizer.spec().bos);
  }
  for (const ChatMessage& message : messages) {
    // A role and plain content are one text where nothing special stands between them, so that the
    // pre-tokenizer sees "User: Hello" as the model did.
    const std::string opening = role_text(message.role);
    if (style.before_role[0] == '\0') {
      add(opening + Trimmed(message.content), false);
    } else {
      add(opening, true);
      add(Trimmed(message.content), false);
    }
    add(style.end, true);
  }
  // "Assistant: " ends with a space of its own, as the published template has it.
  add(role_text("assistant"), style.before_role[0] != '\0');
  return ids;
}

}  // namespace trit
