// The 1bitLLM family (bitnet_b1_58-large, -3B): as bitnet_b158.cpp with SiLU and a SentencePiece
// vocabulary; head_dim 100 and K = 8640 in the 3B. Base models: no chat template of their own.
#include "model/arch/arch.h"

namespace trit {

extern const ArchFacts kBitnet;

const ArchFacts kBitnet = {
    .name = "bitnet",
    .activation = ops::Activation::kSilu,
    .activation_key = true,
    .gguf_rope = ops::RopeOrder::kHalves,
    .sub_norms = true,
    .chat_template = "",
    .template_wins = false,
    .stop_tokens = {"</s>"},
    .bos_token = "<s>",
};

}  // namespace trit
