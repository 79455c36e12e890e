// From a list of messages to the tokens that ask for a reply. Message text never becomes control
// tokens; the template's own markers do.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/session/model.h"

namespace trit {

struct ChatMessage {
  std::string role;  // "system", "user", "assistant"
  std::string content;
};

// How a family writes a conversation. `begin` opens it; each message is before_role + role +
// after_role + content + end; the reply is asked for by the same up to the content.
struct ChatTemplate {
  const char* name;
  const char* begin;
  const char* before_role;
  const char* after_role;
  const char* end;
  bool capital_role;
  const char* mark;  // what the template text of a file with this style contains
};

std::span<const ChatTemplate> ChatTemplates();
// By name; an Error lists them.
const ChatTemplate& FindChatTemplate(const std::string& name);
// The architecture's own, or the one whose mark the file's template has. An Error says what to do
// when neither is known. `why` (may be null) becomes a sentence for the user.
const ChatTemplate& ChatTemplateOf(const Model& model, std::string* why);

// Token ids of the conversation, ending where the assistant's reply begins.
std::vector<int32_t> ChatPrompt(const Tokenizer& tokenizer, const ChatTemplate& style,
                                std::span<const ChatMessage> messages);

}  // namespace trit
