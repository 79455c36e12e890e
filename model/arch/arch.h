// What is known about an architecture beyond the numbers in its files: the ONE table of such facts.
// An architecture is a file in this folder that defines its entries and a line in
// architectures.inc.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/ops/ops.h"

namespace trit {

struct ArchFacts {
  const char* name;            // general.architecture
  ops::Activation activation;  // when no key in the file says otherwise
  bool activation_key;         // <arch>.hidden_activation / hidden_act is read
  ops::RopeOrder gguf_rope;    // order of q and k rows in GGUF files
  bool sub_norms;              // norms before attn_output and ffn_down
  const char* chat_template;   // a name of model/chat/chat_template.h; "" = recognise the file's
  bool template_wins;          // over the one in the file
  // Texts of tokens that end a reply, whatever the file's EOS says; those absent are skipped.
  std::vector<const char*> stop_tokens;
  const char* bos_token;  // text, for files without a BOS id; "" = none
};

// Every architecture there is.
std::span<const ArchFacts* const> Architectures();
// Throws an Error that lists them.
const ArchFacts& FindArchitecture(std::string_view name);

const char* ActivationName(ops::Activation activation);
// "relu2", "silu" (and "squared_relu", "swish" as files spell them); throws otherwise.
ops::Activation ParseActivation(std::string_view text);

}  // namespace trit
