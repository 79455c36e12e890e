#include "model/hf/hf_config.h"

#include <nlohmann/json.hpp>
#include <set>

#include "targets/base/error.h"

namespace trit {
namespace {

using nlohmann::json;

// Hugging Face's class -> GGUF's architecture. Two classes differ in one letter's case only.
struct Class {
  const char* name;
  const char* architecture;
};
constexpr Class kClasses[] = {
    {"BitNetForCausalLM", "bitnet-b1.58"},  // 2B4T, transformers' own class
    {"BitnetForCausalLM", "bitnet"},        // 1bitLLM's
    {"LlamaForCausalLM", "llama"},         {"Qwen3ForCausalLM", "qwen3"}, {"Qwen3Model", "qwen3"},
    {"Gemma3ForCausalLM", "gemma3"},       {"Gemma3TextModel", "gemma3"},
};

// Configuration key -> GGUF key after "<architecture>.".
enum class Kind { kU32, kF32 };
struct Translation {
  const char* from;
  const char* to;
  Kind kind;
  bool needed;
};
constexpr Translation kTranslations[] = {
    {"vocab_size", "vocab_size", Kind::kU32, true},
    {"max_position_embeddings", "context_length", Kind::kU32, true},
    {"hidden_size", "embedding_length", Kind::kU32, true},
    {"num_hidden_layers", "block_count", Kind::kU32, true},
    {"intermediate_size", "feed_forward_length", Kind::kU32, true},
    {"num_attention_heads", "attention.head_count", Kind::kU32, true},
    {"num_key_value_heads", "attention.head_count_kv", Kind::kU32, false},
    {"rms_norm_eps", "attention.layer_norm_rms_epsilon", Kind::kF32, true},
    {"rope_theta", "rope.freq_base", Kind::kF32, false},
};

// Keys that never change the result of a forward pass, or that are dealt with by name below.
const std::set<std::string, std::less<>>& KnownKeys() {
  static const std::set<std::string, std::less<>> keys = {"architectures",
                                                          "model_type",
                                                          "auto_map",
                                                          "torch_dtype",
                                                          "dtype",
                                                          "transformers_version",
                                                          "_name_or_path",
                                                          "use_cache",
                                                          "initializer_range",
                                                          "attention_dropout",
                                                          "pretraining_tp",
                                                          "bos_token_id",
                                                          "eos_token_id",
                                                          "pad_token_id",
                                                          "tie_word_embeddings",
                                                          "head_dim",
                                                          "hidden_act",
                                                          "hidden_activation",
                                                          "quantization_config",
                                                          "rope_scaling",
                                                          "attention_bias",
                                                          "mlp_bias",
                                                          "bias",
                                                          "is_bitnet_config",
                                                          "weight_bits",
                                                          "input_bits",
                                                          "activation",
                                                          "name",
                                                          "parallel_attn",
                                                          "sliding_window",
                                                          "use_sliding_window",
                                                          "max_window_layers",
                                                          "layer_types",
                                                          "rope_parameters"};
  return keys;
}

void RefuseUnless(bool neutral, const std::string& origin, const char* key, const json& value) {
  if (!neutral) {
    throw Error(Join(origin, ": ", key, " is ", value.dump(), ", which is not supported"));
  }
}

bool Truthy(const json& config, const char* key) {
  return config.contains(key) && config.at(key).is_boolean() && config.at(key).get<bool>();
}

// Where values differ from what every supported architecture does, say so rather than compute
// wrong.
void RefuseUnknownBehaviour(const json& config, const std::string& origin) {
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    if (!config.contains(key) || config.at(key).is_null()) continue;
    const json& rope = config.at(key);
    const json type = rope.contains("rope_type") ? rope.at("rope_type")
                      : rope.contains("type")    ? rope.at("type")
                                                 : json("default");
    RefuseUnless(type == "default", origin, key, rope);
  }
  for (const char* key :
       {"attention_bias", "mlp_bias", "bias", "parallel_attn", "use_sliding_window"}) {
    if (config.contains(key)) RefuseUnless(!Truthy(config, key), origin, key, config.at(key));
  }
}

std::string Activation(const json& config, const std::string& origin) {
  const char* key = config.contains("hidden_act") ? "hidden_act" : "hidden_activation";
  if (!config.contains(key)) return "";
  const auto name = config.at(key).get<std::string>();
  if (name == "relu2" || name == "relu_squared") return "relu2";
  if (name == "silu" || name == "swish") return "silu";
  if (name == "gelu_pytorch_tanh" || name == "gelu") return name;
  throw Error(Join(origin, ": ", key, " is ", name, "; known are relu2, silu, gelu_pytorch_tanh"));
}

void Quantization(const json& config, const std::string& origin, HfConfig* out) {
  out->bitnet = out->architecture.starts_with("bitnet") || Truthy(config, "is_bitnet_config") ||
                (config.contains("weight_bits") && config.at("weight_bits") == 1);
  if (!config.contains("quantization_config") || config.at("quantization_config").is_null()) return;
  const json& quantization = config.at("quantization_config");
  const auto method = quantization.value("quant_method", std::string());
  if (method != "bitnet") {
    throw Error(Join(origin, ": quantization_config.quant_method is \"", method,
                     "\"; bitnet is the one that is read"));
  }
  out->bitnet = true;
  if (!quantization.contains("linear_class")) {
    out->notes.push_back(
        "quantization_config.linear_class is absent: weight scales divide, as with "
        "bitlinear");
    return;
  }
  const auto linear = quantization.at("linear_class").get<std::string>();
  if (linear != "autobitlinear" && linear != "bitlinear") {
    throw Error(Join(origin, ": quantization_config.linear_class is ", linear,
                     "; known are autobitlinear and bitlinear"));
  }
  out->scale_multiplies = linear == "autobitlinear";
  if (quantization.value("use_rms_norm", false)) {
    throw Error(Join(origin, ": quantization_config.use_rms_norm is true, which is not supported"));
  }
}

HfConfig Parse(const json& config, const std::string& origin) {
  if (!config.is_object()) throw Error(Join(origin, " holds no JSON object"));
  HfConfig out;
  out.metadata = Metadata(origin);
  std::string named;
  if (config.contains("architectures") && !config.at("architectures").empty()) {
    named = config.at("architectures").at(0).get<std::string>();
  }
  std::string known;
  for (const Class& entry : kClasses) {
    if (named == entry.name) out.architecture = entry.architecture;
    known += Join(known.empty() ? "" : ", ", entry.name);
  }
  if (out.architecture.empty()) {
    throw Error(Join(origin, ": the architecture \"", named, "\" is unknown; known are ", known));
  }
  RefuseUnknownBehaviour(config, origin);

  const std::string prefix = out.architecture + ".";
  out.metadata.SetString("general.architecture", out.architecture);
  if (config.contains("_name_or_path") && config.at("_name_or_path").is_string()) {
    const auto path = config.at("_name_or_path").get<std::string>();
    const auto name = path.substr(path.find_last_of('/') + 1);
    if (!name.empty()) out.metadata.SetString("general.name", name);
  }
  for (const Translation& entry : kTranslations) {
    if (!config.contains(entry.from) || config.at(entry.from).is_null()) {
      if (entry.needed) throw Error(Join(origin, ": the key ", entry.from, " is missing"));
      continue;
    }
    const json& value = config.at(entry.from);
    if (entry.kind == Kind::kF32) {
      out.metadata.SetF32(prefix + entry.to, value.get<float>());
      continue;
    }
    if (!value.is_number_unsigned() || value.get<uint64_t>() > 0x7fffffff) {
      throw Error(
          Join(origin, ": the key ", entry.from, " is ", value.dump(), ", no count that can be"));
    }
    out.metadata.SetU32(prefix + entry.to, value.get<uint32_t>());
  }
  const uint32_t hidden = out.metadata.U32(prefix + "embedding_length");
  const uint32_t heads = out.metadata.U32(prefix + "attention.head_count");
  if (heads == 0 || hidden == 0) throw Error(Join(origin, ": hidden_size or heads is zero"));
  if (!out.metadata.Has(prefix + "attention.head_count_kv")) {
    out.metadata.SetU32(prefix + "attention.head_count_kv", heads);
  }
  if (!out.metadata.Has(prefix + "rope.freq_base")) {
    // transformers 5 keeps it inside rope_parameters; without either the library's default holds.
    float theta = 10000.0f;
    if (config.contains("rope_parameters") && config.at("rope_parameters").contains("rope_theta")) {
      theta = config.at("rope_parameters").at("rope_theta").get<float>();
    } else {
      out.notes.push_back("rope_theta is absent: 10000");
    }
    out.metadata.SetF32(prefix + "rope.freq_base", theta);
  }
  uint32_t head_dim = hidden / heads;
  if (config.contains("head_dim") && !config.at("head_dim").is_null()) {
    head_dim = config.at("head_dim").get<uint32_t>();
  }
  if (head_dim * heads != hidden) {
    out.metadata.SetU32(prefix + "attention.key_length", head_dim);
    out.metadata.SetU32(prefix + "attention.value_length", head_dim);
  }
  out.metadata.SetU32(prefix + "rope.dimension_count", head_dim);
  const std::string activation = Activation(config, origin);
  if (!activation.empty() && out.architecture.starts_with("bitnet")) {
    out.metadata.SetString(prefix + "hidden_activation", activation);
  } else if (out.architecture == "llama" || out.architecture == "qwen3") {
    if (!activation.empty() && activation != "silu") {
      throw Error(
          Join(origin, ": hidden_act is ", activation, ", but ", out.architecture, " means silu"));
    }
  }
  if (config.contains("tie_word_embeddings")) out.tied_head = Truthy(config, "tie_word_embeddings");
  Quantization(config, origin, &out);
  for (const auto& [key, value] : config.items()) {
    bool translated = KnownKeys().contains(key);
    for (const Translation& entry : kTranslations) translated |= key == entry.from;
    if (!translated && !value.is_null()) {
      out.notes.push_back("config.json: the key " + key + " is not known and was left out");
    }
  }
  return out;
}

}  // namespace

HfConfig ParseHfConfig(const std::string& text, const std::string& origin) {
  try {
    return Parse(json::parse(text), origin);
  } catch (const json::exception& error) {
    throw Error(Join(origin, " is not as it should be: ", error.what()));
  }
}

}  // namespace trit
