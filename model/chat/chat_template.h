// Messages -> the tokens of a prompt that asks for the assistant's next message.
//
// Templates are code, not the scripts that files carry: a file's template is recognised by its
// control tokens, or the architecture's table names one (ArchFacts::chat_template), and one that
// is not recognised is an error that lists what exists. Message text is encoded as plain text:
// whatever it says, it never becomes a control token.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer/tokenizer.h"

namespace trit {

struct ChatTurn {
  std::string role;  // system, user or assistant
  std::string content;
};

struct ChatTemplate {
  const char* name;
  const char* mark;  // a file's template with this in it is this one; "" = by name only
  bool begins;       // with the vocabulary's BOS
  bool trims;        // blanks around a message's text
  bool capitalises;  // role names: System, User, Assistant
  // A message is before + role + after_role + text + end; the question for an answer is before +
  // Assistant + ask. Control tokens in these texts become tokens.
  const char* before;
  const char* after_role;
  const char* end;
  const char* ask;
};

std::span<const ChatTemplate> ChatTemplates();
// Throws an Error that lists them.
const ChatTemplate& FindChatTemplate(std::string_view name);
// The template of a model: `name` when not empty, else recognised from the file's text. Throws.
const ChatTemplate& RecogniseChatTemplate(std::string_view name, std::string_view file_template);

// Throws an Error when the vocabulary lacks a control token of the template.
std::vector<int32_t> EncodeChat(const Tokenizer& tokenizer, const ChatTemplate& chat,
                                std::span<const ChatTurn> turns);

}  // namespace trit
