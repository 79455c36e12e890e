// Plain Llama with ternary matrices (Llama3-8B-1.58, Falcon3-1.58, Falcon-E, TriLM): no sub-norms,
// SiLU, rows of q and k permuted in GGUF files.
#include "model/arch/arch.h"

namespace trit {

extern const ArchFacts kLlama;

const ArchFacts kLlama = {
    .name = "llama",
    .activation = ops::Activation::kSilu,
    .activation_key = false,
    .gguf_rope = ops::RopeOrder::kPairs,
    .sub_norms = false,
    .chat_template = "",
    .template_wins = false,
    .stop_tokens = {"<|eot_id|>", "<|im_end|>"},
    .bos_token = "",
};

}  // namespace trit
