// A small Hugging Face checkpoint made on the spot, in the forms that real ones have.
#pragma once

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/encoding/half.h"
#include "model/tokenizer/byte_alphabet.h"
#include "tests/formats/builders.h"

namespace trit::test {

struct HfTensor {
  std::string dtype;
  std::vector<int64_t> shape;
  std::vector<uint8_t> bytes;
};
using HfTensors = std::map<std::string, HfTensor>;

inline std::vector<uint8_t> Safetensors(const HfTensors& tensors) {
  nlohmann::json header;
  std::vector<uint8_t> data;
  for (const auto& [name, tensor] : tensors) {
    header[name] = {{"dtype", tensor.dtype},
                    {"shape", tensor.shape},
                    {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
    data.insert(data.end(), tensor.bytes.begin(), tensor.bytes.end());
  }
  const std::string text = header.dump();
  std::vector<uint8_t> out(8 + text.size() + data.size());
  const uint64_t length = text.size();
  std::memcpy(out.data(), &length, 8);
  std::memcpy(out.data() + 8, text.data(), text.size());
  std::memcpy(out.data() + 8 + text.size(), data.data(), data.size());
  return out;
}

inline HfTensor Bf16(std::vector<int64_t> shape, const std::vector<float>& values) {
  HfTensor tensor{"BF16", std::move(shape), std::vector<uint8_t>(values.size() * 2)};
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t bits = F32ToBF16(values[i]);
    std::memcpy(tensor.bytes.data() + 2 * i, &bits, 2);
  }
  return tensor;
}

// uint8 [n/4, k]: bits 2i+1..2i of row r hold row i*(n/4)+r.
inline HfTensor Packed(int64_t n, int64_t k, const std::vector<int8_t>& trits) {
  HfTensor tensor{"U8", {n / 4, k}, std::vector<uint8_t>(static_cast<size_t>(n / 4 * k))};
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t c = 0; c < k; ++c) {
      const int code = trits[static_cast<size_t>(row * k + c)] + 1;
      tensor.bytes[static_cast<size_t>(row % (n / 4) * k + c)] |=
          static_cast<uint8_t>(code << 2 * (row / (n / 4)));
    }
  }
  return tensor;
}

constexpr int64_t kHidden = 128, kFfn = 256, kKv = 64, kVocab = 300;

inline std::map<std::string, std::pair<int64_t, int64_t>> Projections() {
  return {{"self_attn.q_proj", {kHidden, kHidden}}, {"self_attn.k_proj", {kKv, kHidden}},
          {"self_attn.v_proj", {kKv, kHidden}},     {"self_attn.o_proj", {kHidden, kHidden}},
          {"mlp.gate_proj", {kFfn, kHidden}},       {"mlp.up_proj", {kFfn, kHidden}},
          {"mlp.down_proj", {kHidden, kFfn}}};
}

inline uint32_t SeedOf(const std::string& name) {
  uint32_t seed = 1;
  for (const char c : name) seed = seed * 31 + static_cast<uint8_t>(c);
  return seed;
}

inline nlohmann::json Config() {
  return {{"architectures", {"BitNetForCausalLM"}},
          {"model_type", "bitnet"},
          {"hidden_act", "relu2"},
          {"hidden_size", kHidden},
          {"intermediate_size", kFfn},
          {"max_position_embeddings", 128},
          {"num_attention_heads", 4},
          {"num_hidden_layers", 1},
          {"num_key_value_heads", 2},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 500000.0},
          {"vocab_size", kVocab},
          {"tie_word_embeddings", true},
          {"bos_token_id", 284},
          {"eos_token_id", 285},
          {"quantization_config", {{"quant_method", "bitnet"}, {"linear_class", "autobitlinear"}}}};
}

// Packed projections with weight_scale 0.25 each; norms of ones; a bf16 embedding.
inline HfTensors PackedTensors(bool sub_norms) {
  HfTensors tensors;
  const std::string layer = "model.layers.0.";
  for (const auto& [name, shape] : Projections()) {
    const auto [n, k] = shape;
    tensors[layer + name + ".weight"] =
        Packed(n, k, RandomTrits(static_cast<size_t>(n * k), SeedOf(name)));
    tensors[layer + name + ".weight_scale"] = Bf16({1}, {0.25f});
  }
  const auto ones = [](int64_t size) {
    return Bf16({size}, std::vector<float>(static_cast<size_t>(size), 1.0f));
  };
  tensors[layer + "input_layernorm.weight"] = ones(kHidden);
  tensors[layer + "post_attention_layernorm.weight"] = ones(kHidden);
  if (sub_norms) {
    tensors[layer + "self_attn.attn_sub_norm.weight"] = ones(kHidden);
    tensors[layer + "mlp.ffn_sub_norm.weight"] = ones(kFfn);
  }
  tensors["model.norm.weight"] = ones(kHidden);
  std::vector<float> embedding(static_cast<size_t>(kVocab * kHidden));
  for (size_t i = 0; i < embedding.size(); ++i) {
    embedding[i] = static_cast<float>(i % 97) * 0.01f - 0.5f;
  }
  tensors["model.embed_tokens.weight"] = Bf16({kVocab, kHidden}, embedding);
  return tensors;
}

// Byte-level BPE with Llama-3's pre-tokenizer, as tokenizer.json has it.
inline nlohmann::json TokenizerJson() {
  const TokenizerSpec spec = SynthVocabulary(kVocab);
  nlohmann::json vocab = nlohmann::json::object(), merges = nlohmann::json::array(),
                 added = nlohmann::json::array();
  for (size_t i = 0; i < spec.tokens.size(); ++i) {
    if (spec.kinds[i] == TokenKind::kNormal) {
      vocab[spec.tokens[i]] = i;
    } else {
      added.push_back({{"id", i}, {"content", spec.tokens[i]}, {"special", true}});
    }
  }
  for (const auto& [left, right] : spec.merges) merges.push_back(left + " " + right);
  const std::string pattern =
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
  return {
      {"added_tokens", added},
      {"pre_tokenizer",
       {{"type", "Sequence"},
        {"pretokenizers",
         {{{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}},
          {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}}},
      {"post_processor",
       {{"type", "Sequence"},
        {"processors",
         {{{"type", "ByteLevel"}},
          {{"type", "TemplateProcessing"},
           {"single",
            {{{"SpecialToken", {{"id", "<|begin_of_text|>"}}}},
             {{"Sequence", {{"id", "A"}}}}}}}}}}},
      {"model", {{"type", "BPE"}, {"ignore_merges", true}, {"vocab", vocab}, {"merges", merges}}}};
}

inline void WriteFolder(const Folder& folder, const nlohmann::json& config,
                        const HfTensors& tensors) {
  const auto bytes = Safetensors(tensors);
  folder.Write("config.json", config.dump());
  folder.Write("tokenizer.json", TokenizerJson().dump());
  folder.Write("model.safetensors", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace trit::test
