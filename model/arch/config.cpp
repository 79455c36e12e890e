#include "model/arch/config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "targets/base/error.h"

namespace trit {
namespace {

// Limits that no model comes near; they keep products of sizes far from overflow.
constexpr uint32_t kMaxWidth = 1u << 20;
constexpr uint32_t kMaxLayers = 4096;
constexpr uint32_t kMaxVocabulary = 1u << 24;
constexpr uint32_t kMaxHeadDim = 512;

int Sized(const Metadata& meta, const std::string& key, uint32_t value, uint32_t most) {
  if (value < 1 || value > most) {
    throw Error(Join(meta.origin(), ": ", key, " is ", value, ", outside 1 to ", most));
  }
  return static_cast<int>(value);
}

void ReadActivation(const Metadata& meta, const std::string& prefix,
                    const ConfigOverrides& overrides, Config* config,
                    std::vector<std::string>* notes) {
  config->activation = config->facts->activation;
  std::string why = Join("as ", config->facts->name, " without a key means");
  if (config->facts->activation_key) {
    for (const char* name : {"hidden_activation", "hidden_act"}) {
      const std::string key = prefix + name;
      if (!meta.Has(key)) continue;
      config->activation = ParseActivation(meta.String(key));
      why = Join("from ", key);
      break;
    }
  }
  if (overrides.activation) {
    config->activation = *overrides.activation;
    why = "as asked for";
  }
  notes->push_back(Join("FFN activation: ", ActivationName(config->activation), " (", why, ")"));
}

void ReadRope(const ModelSource& source, const std::string& prefix, Config* config,
              std::vector<std::string>* notes) {
  const Metadata& meta = source.metadata();
  config->rope_base = meta.F32Or(prefix + "rope.freq_base", 10000.0f);
  if (!(config->rope_base > 1) || !std::isfinite(config->rope_base)) {
    throw Error(Join(meta.origin(), ": ", prefix, "rope.freq_base is not above 1"));
  }
  const auto rotated =
      meta.U32Or(prefix + "rope.dimension_count", static_cast<uint32_t>(config->head_dim));
  if (static_cast<int>(rotated) != config->head_dim) {
    throw Error(Join(meta.origin(), ": ", prefix, "rope.dimension_count is ", rotated,
                     " with heads of ", config->head_dim,
                     "; rotating a part of a head is not supported"));
  }
  const std::string type = meta.StringOr(prefix + "rope.scaling.type", "none");
  const float factor = meta.F32Or(prefix + "rope.scaling.factor", 1.0f);
  if (type == "linear" && factor > 0) {
    config->rope_position_scale = 1.0f / factor;
  } else if (type != "none" && factor != 1.0f) {
    throw Error(Join(meta.origin(), ": ", prefix, "rope.scaling.type is ", type,
                     "; known are none and linear"));
  }
  config->rope_order =
      source.qk_in_rotate_half_order() ? ops::RopeOrder::kHalves : config->facts->gguf_rope;
  if (source.FindTensor("rope_freqs.weight") != nullptr) {
    const auto factors = source.Dense("rope_freqs.weight");
    if (factors->rows() * factors->cols() != config->head_dim / 2) {
      throw Error(Join(meta.origin(), ": rope_freqs.weight has ", factors->rows() * factors->cols(),
                       " values, not ", config->head_dim / 2));
    }
    config->rope_factors.resize(static_cast<size_t>(config->head_dim / 2));
    factors->ReadRowsF32(0, factors->rows(), config->rope_factors.data());
    notes->push_back("RoPE frequencies are divided by rope_freqs.weight");
  }
}

// Keys nobody asked for change the result unless they say "nothing" or are known to describe only.
void RefuseUnknownKeys(const Metadata& meta, const std::string& prefix) {
  constexpr std::array kDescriptive = {"rope.scaling.finetuned",
                                       "rope.scaling.original_context_length",
                                       "attention.layer_norm_epsilon", "tensor_data_layout"};
  for (const std::string& key : meta.Unconsulted(prefix)) {
    const std::string name = key.substr(prefix.size());
    if (std::find(kDescriptive.begin(), kDescriptive.end(), name) != kDescriptive.end()) continue;
    const MetaValue* value = meta.Peek(key);
    const bool nothing = value->type != MetaType::kString && value->type != MetaType::kArray &&
                         value->integer == 0 && value->real == 0;
    if (nothing) continue;
    throw Error(
        Join(meta.origin(), ": the key ", key, " is not understood and could change the result"));
  }
}

void RefuseUnknownTensors(const ModelSource& source, const Config& config) {
  std::set<std::string, std::less<>> known = {"token_embd.weight", "output_norm.weight",
                                              "output.weight", "rope_freqs.weight"};
  for (int l = 0; l < config.layers; ++l) {
    const std::string block = Join("blk.", l, ".");
    for (const char* name : {"attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm",
                             "ffn_gate", "ffn_up", "ffn_down"}) {
      known.insert(block + name + ".weight");
    }
    if (config.facts->sub_norms) {
      known.insert(block + "attn_sub_norm.weight");
      known.insert(block + "ffn_sub_norm.weight");
    }
  }
  for (const TensorInfo& tensor : source.tensors()) {
    // ".scale" tensors beside ternary ones are read with their matrix.
    if (known.contains(tensor.name) || tensor.name.ends_with(".scale")) continue;
    throw Error(Join(source.path(), ": the tensor ", tensor.name, " is not part of a ",
                     config.facts->name, " model and could change the result"));
  }
}

}  // namespace

Config ReadConfig(const ModelSource& source, const ConfigOverrides& overrides,
                  std::vector<std::string>* notes) {
  const Metadata& meta = source.metadata();
  const std::string& name = source.architecture();
  const std::string prefix = name + ".";
  Config config;
  config.facts = &FindArchitecture(name);
  const auto number = [&](const char* key, uint32_t most) {
    return Sized(meta, prefix + key, meta.U32(prefix + key), most);
  };
  const auto number_or = [&](const char* key, int otherwise, uint32_t most) {
    return Sized(meta, prefix + key, meta.U32Or(prefix + key, static_cast<uint32_t>(otherwise)),
                 most);
  };
  config.layers = number("block_count", kMaxLayers);
  config.hidden = number("embedding_length", kMaxWidth);
  config.ffn = number("feed_forward_length", kMaxWidth);
  config.heads = number("attention.head_count", kMaxWidth);
  config.kv_heads = number_or("attention.head_count_kv", config.heads, kMaxWidth);
  config.head_dim =
      number_or("attention.key_length", std::max(1, config.hidden / config.heads), kMaxHeadDim);
  const int value_dim = number_or("attention.value_length", config.head_dim, kMaxHeadDim);
  config.context = number_or("context_length", 4096, 1u << 30);
  config.norm_eps = meta.F32(prefix + "attention.layer_norm_rms_epsilon");
  if (value_dim != config.head_dim) {
    throw Error(Join(meta.origin(), ": heads of ", config.head_dim, " for keys and ", value_dim,
                     " for values; both must be equal"));
  }
  if (config.head_dim % 2 != 0 || config.heads % config.kv_heads != 0 ||
      static_cast<uint64_t>(config.heads) * static_cast<uint64_t>(config.head_dim) > kMaxWidth) {
    throw Error(Join(meta.origin(), ": ", config.heads, " heads of ", config.head_dim, " over ",
                     config.kv_heads, " KV heads do not fit together"));
  }
  if (!(config.norm_eps >= 0) || config.norm_eps > 1) {
    throw Error(
        Join(meta.origin(), ": ", prefix, "attention.layer_norm_rms_epsilon is outside 0 to 1"));
  }
  const TensorInfo* embedding = source.FindTensor("token_embd.weight");
  if (embedding == nullptr) throw Error(Join(source.path(), ": has no tensor token_embd.weight"));
  if (embedding->rows < 1 || embedding->rows > kMaxVocabulary) {
    throw Error(Join(source.path(), ": token_embd.weight has ", embedding->rows, " rows"));
  }
  config.vocabulary = static_cast<int>(embedding->rows);
  meta.FindU32(prefix + "vocab_size");  // the embedding decides; files pad one or the other
  config.tied = source.FindTensor("output.weight") == nullptr;

  ReadActivation(meta, prefix, overrides, &config, notes);
  ReadRope(source, prefix, &config, notes);
  RefuseUnknownKeys(meta, prefix);
  RefuseUnknownTensors(source, config);
  return config;
}

}  // namespace trit
