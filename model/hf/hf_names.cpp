#include "model/hf/hf_names.h"

#include <span>

#include "targets/base/error.h"

namespace trit {
namespace {

struct Name {
  const char* hf;    // inside "model.layers.<i>." and without ".weight"
  const char* gguf;  // inside "blk.<i>."
};

constexpr Name kGlobal[] = {
    {"embed_tokens", "token_embd"}, {"norm", "output_norm"}, {"lm_head", "output"}};

constexpr Name kProjections[] = {
    {"self_attn.q_proj", "attn_q"}, {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"}, {"self_attn.o_proj", "attn_output"},
    {"mlp.gate_proj", "ffn_gate"},  {"mlp.up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},  {"input_layernorm", "attn_norm"},
};

constexpr Name kLlama[] = {{"post_attention_layernorm", "ffn_norm"}};
constexpr Name kBitnet2B4T[] = {{"post_attention_layernorm", "ffn_norm"},
                                {"self_attn.attn_sub_norm", "attn_sub_norm"},
                                {"mlp.ffn_sub_norm", "ffn_sub_norm"}};
constexpr Name kBitnet1bitLlm[] = {{"post_attention_layernorm", "ffn_norm"},
                                   {"self_attn.inner_attn_ln", "attn_sub_norm"},
                                   {"mlp.ffn_layernorm", "ffn_sub_norm"}};
constexpr Name kQwen3[] = {{"post_attention_layernorm", "ffn_norm"},
                           {"self_attn.q_norm", "attn_q_norm"},
                           {"self_attn.k_norm", "attn_k_norm"}};
constexpr Name kGemma3[] = {{"post_attention_layernorm", "post_attention_norm"},
                            {"pre_feedforward_layernorm", "ffn_norm"},
                            {"post_feedforward_layernorm", "post_ffw_norm"},
                            {"self_attn.q_norm", "attn_q_norm"},
                            {"self_attn.k_norm", "attn_k_norm"}};

struct Table {
  const char* architecture;
  std::span<const Name> names;
};
constexpr Table kTables[] = {{"llama", kLlama},
                             {"bitnet-b1.58", kBitnet2B4T},
                             {"bitnet", kBitnet1bitLlm},
                             {"qwen3", kQwen3},
                             {"gemma3", kGemma3}};

const char* Find(std::span<const Name> names, std::string_view hf) {
  for (const Name& name : names) {
    if (hf == name.hf) return name.gguf;
  }
  return nullptr;
}

}  // namespace

std::string GgufTensorName(std::string_view architecture, std::string_view hf_name,
                           const std::string& origin) {
  std::string_view name = hf_name;
  if (name.ends_with(".inv_freq")) return "";
  constexpr std::string_view kModel = "model.", kLayers = "layers.", kWeight = ".weight";
  if (name.starts_with(kModel)) name.remove_prefix(kModel.size());
  if (name.ends_with(kWeight)) {
    name.remove_suffix(kWeight.size());
    if (const char* gguf = Find(kGlobal, name)) return Join(gguf, ".weight");
    if (name.starts_with(kLayers)) {
      name.remove_prefix(kLayers.size());
      const size_t dot = name.find('.');
      const std::string_view index = name.substr(0, dot);
      const bool number = !index.empty() && index.size() <= 5 &&
                          index.find_first_not_of("0123456789") == std::string_view::npos;
      if (number && dot != std::string_view::npos) {
        const std::string_view part = name.substr(dot + 1);
        const char* gguf = Find(kProjections, part);
        for (const Table& table : kTables) {
          if (gguf == nullptr && architecture == table.architecture) {
            gguf = Find(table.names, part);
          }
        }
        if (gguf != nullptr) return Join("blk.", index, ".", gguf, ".weight");
      }
    }
  }
  throw Error(
      Join(origin, ": the tensor ", hf_name, " is unknown in the architecture ", architecture));
}

}  // namespace trit
