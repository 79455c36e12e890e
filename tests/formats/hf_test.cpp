// Hugging Face folders: packed and master weights, the direction of scales, shards, refusals, and
// the way to GGUF.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/convert/convert.h"
#include "model/hf/hf_config.h"
#include "model/hf/safetensors.h"
#include "model/tokenizer/tokenizer.h"
#include "targets/base/error.h"
#include "tests/formats/hf_folder.h"

namespace trit {
namespace {

using ::testing::HasSubstr;

std::vector<int8_t> ReadTrits(const TernaryTensor& tensor) {
  std::vector<int8_t> out(static_cast<size_t>(tensor.n() * tensor.k()));
  tensor.ReadTrits(0, tensor.n(), out.data());
  return out;
}

TEST(HfFolder, PackedWeightsAndTheirNames) {
  const test::Folder folder;
  test::WriteFolder(folder, test::Config(), test::PackedTensors(true));
  const auto source = OpenModel(folder.path());
  EXPECT_EQ(source->architecture(), "bitnet-b1.58");
  EXPECT_TRUE(source->qk_in_rotate_half_order());
  EXPECT_EQ(source->tensors().size(), 13u);
  EXPECT_EQ(source->metadata().U32("bitnet-b1.58.feed_forward_length"), 256u);
  EXPECT_EQ(source->metadata().String("bitnet-b1.58.hidden_activation"), "relu2");
  for (const auto& [hf, gguf] : {std::pair("self_attn.k_proj", "blk.0.attn_k.weight"),
                                 std::pair("mlp.down_proj", "blk.0.ffn_down.weight")}) {
    const auto tensor = source->Ternary(gguf);
    const auto [n, k] = test::Projections().at(hf);
    EXPECT_EQ(tensor->n(), n);
    EXPECT_EQ(tensor->k(), k);
    const auto want = test::RandomTrits(static_cast<size_t>(n * k), test::SeedOf(hf));
    EXPECT_TRUE(ReadTrits(*tensor) == want) << gguf;
    std::vector<int8_t> part(static_cast<size_t>(k) * 2);
    tensor->ReadTrits(n / 4 - 1, n / 4 + 1, part.data());  // over the seam of two quarters
    EXPECT_TRUE(std::equal(part.begin(), part.end(), want.begin() + (n / 4 - 1) * k));
    EXPECT_EQ(tensor->Scales().values, std::vector<float>{0.25f});
  }
  EXPECT_NE(source->FindTensor("blk.0.attn_sub_norm.weight"), nullptr);
  EXPECT_NE(source->FindTensor("blk.0.ffn_sub_norm.weight"), nullptr);
}

TEST(HfFolder, LinearClassSaysWhetherScalesMultiplyOrDivide) {
  for (const auto& [linear, scale] :
       {std::pair<const char*, float>{"autobitlinear", 0.25f}, {"bitlinear", 4.0f}, {"", 4.0f}}) {
    nlohmann::json config = test::Config();
    if (*linear == '\0') {
      config["quantization_config"].erase("linear_class");
    } else {
      config["quantization_config"]["linear_class"] = linear;
    }
    const test::Folder folder;
    test::WriteFolder(folder, config, test::PackedTensors(true));
    const auto source = OpenModel(folder.path());
    EXPECT_EQ(source->Ternary("blk.0.attn_q.weight")->Scales().values, std::vector<float>{scale})
        << linear;
  }
}

TEST(HfFolder, MastersAreQuantisedByAbsmean) {
  test::HfTensors tensors = test::PackedTensors(true);
  const std::string layer = "model.layers.0.";
  std::vector<float> masters(static_cast<size_t>(test::kHidden * test::kHidden));
  std::mt19937 random(5);
  for (float& value : masters) value = (static_cast<float>(random() % 2001) - 1000.0f) / 4096.0f;
  for (const auto& [name, shape] : test::Projections()) {
    tensors.erase(layer + name + ".weight_scale");
    const auto count = static_cast<size_t>(shape.first * shape.second);
    std::vector<float> values(count);
    for (size_t i = 0; i < count; ++i) values[i] = masters[i % masters.size()];
    tensors[layer + name + ".weight"] = test::Bf16({shape.first, shape.second}, values);
  }
  const test::Folder folder;
  test::WriteFolder(folder, test::Config(), tensors);
  const auto source = OpenModel(folder.path());
  const auto tensor = source->Ternary("blk.0.attn_q.weight");
  double sum = 0;
  for (const float value : masters) sum += std::fabs(BF16ToF32(F32ToBF16(value)));
  const float mean = static_cast<float>(sum / static_cast<double>(masters.size()));
  EXPECT_FLOAT_EQ(tensor->Scales().values.at(0), mean);
  const auto trits = ReadTrits(*tensor);
  for (size_t i = 0; i < trits.size(); ++i) {
    const float scaled = BF16ToF32(F32ToBF16(masters[i])) * (1.0f / mean);
    ASSERT_EQ(trits[i], std::clamp(static_cast<int>(std::nearbyint(scaled)), -1, 1)) << i;
  }

  // The same weights in a model that does not say it is BitNet are no masters.
  nlohmann::json plain = test::Config();
  plain["architectures"] = {"LlamaForCausalLM"};
  plain["hidden_act"] = "silu";
  plain.erase("quantization_config");
  tensors.erase(layer + "self_attn.attn_sub_norm.weight");
  tensors.erase(layer + "mlp.ffn_sub_norm.weight");
  const test::Folder other;
  test::WriteFolder(other, plain, tensors);
  const auto llama = OpenModel(other.path());
  EXPECT_THAT(test::Fault([&] { llama->Ternary("blk.0.attn_q.weight")->Scales(); }),
              HasSubstr("blk.0.attn_q.weight is said to be ternary but is not"));
}

TEST(HfFolder, ShardsAreFoundByTheIndex) {
  test::HfTensors first = test::PackedTensors(true), second;
  for (auto at = first.begin(); at != first.end();) {
    if (at->first.find("mlp") != std::string::npos) {
      second.insert(*at);
      at = first.erase(at);
    } else {
      ++at;
    }
  }
  const test::Folder folder;
  test::WriteFolder(folder, test::Config(), first);
  std::filesystem::rename(folder / "model.safetensors", folder / "model-1.safetensors");
  const auto bytes = test::Safetensors(second);
  folder.Write("model-2.safetensors", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  nlohmann::json map;
  for (const auto& [name, tensor] : first) map[name] = "model-1.safetensors";
  for (const auto& [name, tensor] : second) map[name] = "model-2.safetensors";
  folder.Write("model.safetensors.index.json", nlohmann::json{{"weight_map", map}}.dump());
  EXPECT_EQ(OpenModel(folder.path())->tensors().size(), 13u);

  map["model.norm.weight"] = "../outside.safetensors";
  folder.Write("model.safetensors.index.json", nlohmann::json{{"weight_map", map}}.dump());
  EXPECT_THAT(test::Fault([&] { OpenModel(folder.path()); }), HasSubstr("no plain file name"));
}

TEST(HfFolder, TokenizerJsonGivesTheSameIds) {
  const test::Folder folder;
  test::WriteFolder(folder, test::Config(), test::PackedTensors(true));
  const auto source = OpenModel(folder.path());
  const TokenizerSpec spec = source->Tokenizer();
  EXPECT_EQ(spec.pre, "llama-bpe");
  EXPECT_EQ(spec.bos, 284);
  EXPECT_TRUE(spec.add_bos);
  EXPECT_FALSE(spec.add_eos);
  const Tokenizer from_json(spec), direct(SynthVocabulary(test::kVocab));
  for (const char* text : {"the cat", "  12345 it's\n\n", "\xf0\x9f\xa6\x99 e"}) {
    EXPECT_EQ(from_json.Encode(text), direct.Encode(text)) << text;
  }
}

TEST(HfFolder, BecomesGgufWithTheSameTrits) {
  const test::Folder folder;
  test::WriteFolder(folder, test::Config(), test::PackedTensors(true));
  const auto source = OpenModel(folder.path());
  const std::string out = folder / "out.gguf";
  const ConvertReport report = ConvertModel(*source, out, {.type = "i2_s", .threads = 2});
  EXPECT_EQ(report.ternary_tensors, 7);
  const auto gguf = OpenModel(out);
  EXPECT_EQ(gguf->architecture(), "bitnet-b1.58");
  for (const TensorInfo& info : source->tensors()) {
    ASSERT_NE(gguf->FindTensor(info.name), nullptr) << info.name;
    if (!info.ternary) continue;
    EXPECT_EQ(gguf->FindTensor(info.name)->encoding, "i2_s");
    EXPECT_TRUE(ReadTrits(*source->Ternary(info.name)) == ReadTrits(*gguf->Ternary(info.name)));
    EXPECT_EQ(gguf->Ternary(info.name)->Scales().values, std::vector<float>{0.25f});
  }
  EXPECT_EQ(gguf->FindTensor("output_norm.weight")->encoding, "f32");
  EXPECT_EQ(gguf->FindTensor("token_embd.weight")->encoding, "bf16");
  const Tokenizer before(source->Tokenizer()), after(gguf->Tokenizer());
  EXPECT_EQ(before.Encode("the cat sat"), after.Encode("the cat sat"));
}

TEST(HfFolder, LlamaRowsAreInterleavedByHead) {
  nlohmann::json config = test::Config();
  config["architectures"] = {"LlamaForCausalLM"};
  config["model_type"] = "llama";
  config["hidden_act"] = "silu";
  const test::Folder folder;
  test::WriteFolder(folder, config, test::PackedTensors(false));
  const auto source = OpenModel(folder.path());
  const std::string out = folder / "out.gguf";
  ConvertModel(*source, out, {.type = "i2_s", .head = "f16"});
  const auto gguf = OpenModel(out);
  EXPECT_FALSE(gguf->qk_in_rotate_half_order());
  EXPECT_EQ(gguf->FindTensor("token_embd.weight")->encoding, "f16");
  const int64_t k = test::kHidden, d = 32;
  for (const char* name : {"blk.0.attn_q.weight", "blk.0.attn_k.weight"}) {
    const auto before = ReadTrits(*source->Ternary(name)), after = ReadTrits(*gguf->Ternary(name));
    for (int64_t row = 0; row < static_cast<int64_t>(after.size()) / k; ++row) {
      // Pairs (2i, 2i+1) of a head were rows i and i + d/2.
      const int64_t from = row / d * d + row % d / 2 + row % 2 * (d / 2);
      ASSERT_TRUE(std::equal(after.begin() + row * k, after.begin() + (row + 1) * k,
                             before.begin() + from * k))
          << name << " row " << row;
    }
  }
  EXPECT_TRUE(ReadTrits(*source->Ternary("blk.0.attn_v.weight")) ==
              ReadTrits(*gguf->Ternary("blk.0.attn_v.weight")));
}

TEST(HfFolder, RefusalsAreSentences) {
  const auto fault = [](const nlohmann::json& config, const test::HfTensors& tensors) {
    const test::Folder folder;
    test::WriteFolder(folder, config, tensors);
    return test::Fault([&] {
      const auto source = OpenModel(folder.path());
      source->Ternary("blk.0.attn_q.weight")->Scales();
    });
  };
  const auto tensors = test::PackedTensors(true);
  EXPECT_EQ(fault(test::Config(), tensors), "");
  nlohmann::json config = test::Config();
  config["architectures"] = {"MambaForCausalLM"};
  EXPECT_THAT(fault(config, tensors),
              HasSubstr("the architecture \"MambaForCausalLM\" is unknown; known are"));
  config = test::Config();
  config["rope_scaling"] = {{"rope_type", "llama3"}, {"factor", 8.0}};
  EXPECT_THAT(fault(config, tensors), HasSubstr("rope_scaling is"));
  config = test::Config();
  config["attention_bias"] = true;
  EXPECT_THAT(fault(config, tensors), HasSubstr("attention_bias is true"));
  config = test::Config();
  config["hidden_act"] = "mish";
  EXPECT_THAT(fault(config, tensors), HasSubstr("hidden_act is mish"));
  config = test::Config();
  config["quantization_config"]["linear_class"] = "other";
  EXPECT_THAT(fault(config, tensors), HasSubstr("linear_class is other"));
  config = test::Config();
  config["quantization_config"]["quant_method"] = "gptq";
  EXPECT_THAT(fault(config, tensors), HasSubstr("quant_method is \"gptq\""));
  config = test::Config();
  config.erase("hidden_size");
  EXPECT_THAT(fault(config, tensors), HasSubstr("the key hidden_size is missing"));
  config = test::Config();
  config["tie_word_embeddings"] = false;
  EXPECT_THAT(fault(config, tensors), HasSubstr("lm_head.weight is missing"));

  test::HfTensors broken = tensors;
  broken["model.layers.0.self_attn.rotation.weight"] = broken["model.norm.weight"];
  EXPECT_THAT(fault(test::Config(), broken), HasSubstr("self_attn.rotation.weight is unknown"));
  broken = tensors;
  broken.erase("model.layers.0.self_attn.q_proj.weight_scale");
  EXPECT_THAT(fault(test::Config(), broken),
              HasSubstr("has no model.layers.0.self_attn.q_proj.weight_scale"));
  broken = tensors;
  broken["model.norm.weight"].dtype = "I16";
  EXPECT_THAT(fault(test::Config(), broken), HasSubstr("has the type I16"));
  broken = tensors;
  broken["model.layers.0.self_attn.q_proj.weight_scale"] = test::Bf16({1}, {0.0f});
  config = test::Config();
  config["quantization_config"]["linear_class"] = "bitlinear";
  EXPECT_THAT(fault(config, broken), HasSubstr("not finite"));
}

TEST(HfFolder, TokenizerRefusals) {
  const auto fault = [](const nlohmann::json& json) {
    std::vector<std::string> notes;
    const test::Folder folder;
    test::WriteFolder(folder, test::Config(), test::PackedTensors(true));
    folder.Write("tokenizer.json", json.dump());
    const auto source = OpenModel(folder.path());
    return test::Fault([&] { source->Tokenizer(); });
  };
  EXPECT_EQ(fault(test::TokenizerJson()), "");
  nlohmann::json json = test::TokenizerJson();
  json["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "[a-z]+";
  EXPECT_THAT(fault(json), HasSubstr("the pre-tokenizer pattern [a-z]+ is not known"));
  json = test::TokenizerJson();
  json["pre_tokenizer"] = {{"type", "ByteLevel"}, {"use_regex", false}};  // cuts nowhere
  EXPECT_THAT(fault(json), HasSubstr("the pre-tokenizer pattern  is not known"));
  json["pre_tokenizer"]["use_regex"] = true;
  EXPECT_EQ(fault(json), "");  // GPT-2's
  json = test::TokenizerJson();
  json["model"]["type"] = "WordPiece";
  EXPECT_THAT(fault(json), HasSubstr("the tokenizer model is WordPiece"));
  json = test::TokenizerJson();
  json["model"]["merges"].push_back("lonely");
  EXPECT_THAT(fault(json), HasSubstr("the merge \"lonely\" is not two tokens"));
  json = test::TokenizerJson();
  json["added_tokens"].push_back({{"id", 5000}, {"content", "<far>"}, {"special", true}});
  EXPECT_THAT(fault(json), HasSubstr("has 5001 tokens, but vocab_size is 300"));
}

TEST(SafetensorsFile, RefusalsAreSentences) {
  const auto good = test::Safetensors({{"a", {"U8", {2, 4}, std::vector<uint8_t>(8)}}});
  EXPECT_EQ(ParseSafetensors(good, "x").size(), 1u);
  const auto fault = [](const std::string& header, size_t data) {
    std::vector<uint8_t> file(8 + header.size() + data);
    const uint64_t length = header.size();
    std::memcpy(file.data(), &length, 8);
    std::memcpy(file.data() + 8, header.data(), header.size());
    return test::Fault([&] { ParseSafetensors(file, "x"); });
  };
  EXPECT_THAT(fault(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}})", 7),
              HasSubstr("the file is cut short or damaged"));
  EXPECT_THAT(fault(R"({"a":{"dtype":"F32","shape":[8],"data_offsets":[0,8]}})", 8),
              HasSubstr("8 elements of F32 and 8 bytes"));
  EXPECT_THAT(fault(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},)"
                    R"("b":{"dtype":"U8","shape":[8],"data_offsets":[4,12]}})",
                    16),
              HasSubstr("overlap"));
  EXPECT_THAT(
      fault(R"({"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,8]}})", 8),
      HasSubstr("impossible shape"));
  EXPECT_THAT(fault("{", 0), HasSubstr("the safetensors header is not as it should be"));
  EXPECT_THAT(fault(std::string(100000, '['), 0), HasSubstr("not as it should be"));
  std::vector<uint8_t> file(10, 0xff);
  EXPECT_THAT(test::Fault([&] { ParseSafetensors(file, "x"); }),
              HasSubstr("its header claims 18446744073709551615 bytes"));
}

}  // namespace
}  // namespace trit
