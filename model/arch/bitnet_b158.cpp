// BitNet b1.58 2B4T and its relatives: squared ReLU, sub-norms, unpermuted q and k.
//   h = x + Wo sub_norm(attention(rope(q), rope(k), v)),      q, k, v from norm(x)
//   y = h + Wdown sub_norm(relu(Wgate n)^2 * (Wup n)),        n = norm(h)
// The published file's chat template is another model's ("Human: ... BITNETAssistant:"), its EOS
// list lacks <|eot_id|>, and most conversions lack the activation key.
#include "model/arch/arch.h"

namespace trit {

extern const ArchFacts kBitnetB158, kBitnet25;

const ArchFacts kBitnetB158 = {
    .name = "bitnet-b1.58",
    .activation = ops::Activation::kSquaredRelu,
    .activation_key = true,
    .gguf_rope = ops::RopeOrder::kHalves,
    .sub_norms = true,
    .chat_template = "bitnet",
    .template_wins = true,
    .stop_tokens = {"<|end_of_text|>", "<|eot_id|>"},
    .bos_token = "<|begin_of_text|>",
};

// The name that older conversions of the same model carry.
const ArchFacts kBitnet25 = [] {
  ArchFacts facts = kBitnetB158;
  facts.name = "bitnet-25";
  return facts;
}();

}  // namespace trit
