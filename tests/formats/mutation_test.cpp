// Thousands of damaged files from fixed seeds: each is read to the end or refused with a sentence,
// and none makes the readers allocate more than a small multiple of the file.
#include <gtest/gtest.h>

#include "model/gguf/gguf_file.h"
#include "model/hf/hf_config.h"
#include "model/hf/hf_tokenizer.h"
#include "model/hf/safetensors.h"
#include "model/tokenizer/sentencepiece_file.h"
#include "model/tokenizer/tiktoken.h"
#include "model/tokenizer/tokenizer.h"
#include "tests/formats/allocations.h"
#include "tests/formats/builders.h"

namespace trit {
namespace {

// Flips bits, plants extreme numbers, cuts, repeats.
std::vector<uint8_t> Damage(const std::vector<uint8_t>& good, std::mt19937* random) {
  static constexpr uint64_t kNumbers[] = {0,          1,          0x7fffffff, 0xffffffff,
                                          1ull << 62, 1ull << 63, ~0ull,      0x100000000ull};
  std::string bytes(good.begin(), good.end());
  const int faults = 1 + static_cast<int>((*random)() % 4);
  for (int i = 0; i < faults && !bytes.empty(); ++i) {
    const size_t at = (*random)() % bytes.size();
    switch ((*random)() % 6) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ 1 << (*random)() % 8);
        break;
      case 1:
        bytes[at] = static_cast<char>((*random)());
        break;
      case 2:
        std::memcpy(bytes.data() + at, &kNumbers[(*random)() % 8],
                    std::min<size_t>(8, bytes.size() - at));
        break;
      case 3:
        bytes.resize(at);
        break;
      case 4:
        bytes.insert(at, 1 + (*random)() % 9, bytes[at]);
        break;
      default:
        bytes.erase(at, 1);
        break;
    }
  }
  return {bytes.begin(), bytes.end()};
}

// Runs `use` on damaged copies; only std::exception may come out, and no allocation may be larger
// than `cap` bytes.
template <typename Use>
void Survive(const std::vector<uint8_t>& good, int rounds, size_t cap, const Use& use) {
  use(good);  // the undamaged one must work: else the damage proves nothing
  int refused = 0;
  for (int round = 0; round < rounds; ++round) {
    std::mt19937 random(static_cast<uint32_t>(round));
    const std::vector<uint8_t> bad = Damage(good, &random);
    test::LargestAllocation() = 0;
    try {
      use(bad);
    } catch (const std::exception& error) {
      ++refused;
      ASSERT_GT(std::strlen(error.what()), 10u) << "round " << round;
    }
    ASSERT_LE(test::LargestAllocation(), cap) << "round " << round;
  }
  EXPECT_GT(refused, rounds / 20);  // the damage does something
}

std::vector<uint8_t> Bytes(const std::string& text) {
  return {text.begin(), text.end()};
}
std::string Text(const std::vector<uint8_t>& bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST(Mutations, Gguf) {
  Survive(test::SmallGguf(), 4000, 1 << 20, [](const std::vector<uint8_t>& bytes) {
    const GgufFile file = ParseGguf(bytes, "x", "128");
    for (const GgufTensor& tensor : file.tensors) {
      const uint8_t* data = bytes.data() + tensor.offset;
      const auto n = static_cast<uint64_t>(tensor.rows), k = static_cast<uint64_t>(tensor.cols);
      if (n * k > 1 << 16) continue;
      if (tensor.ternary != nullptr) {
        std::vector<int8_t> out(n * k);
        tensor.ternary->read(data, n, k, 0, n, out.data());
        MergeScales(tensor.ternary->scales(data, n, k), tensor.rows, tensor.cols);
      } else {
        std::vector<float> out(n * k);
        tensor.dense->read(data, n * k, out.data());
      }
    }
    std::vector<std::string> notes;
    const Tokenizer tokenizer(ReadGgufTokenizer(file.metadata, &notes));
    tokenizer.Decode(tokenizer.Encode("the cat <|eot_id|> \xf0\x9f", {.parse_special = true}));
  });
}

constexpr const char* kSafetensors =
    R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
    R"("b":{"dtype":"U8","shape":[4,8],"data_offsets":[24,56]}})";

TEST(Mutations, Safetensors) {
  const std::string header = kSafetensors;
  std::vector<uint8_t> file(8);
  const uint64_t length = header.size();
  std::memcpy(file.data(), &length, 8);
  file.insert(file.end(), header.begin(), header.end());
  file.resize(file.size() + 56);
  Survive(file, 4000, 1 << 20,
          [](const std::vector<uint8_t>& bytes) { ParseSafetensors(bytes, "x"); });
}

TEST(Mutations, Configuration) {
  const std::string config =
      R"({"architectures":["BitNetForCausalLM"],"hidden_act":"relu2",)"
      R"("hidden_size":256,"intermediate_size":512,"max_position_embeddings":128,)"
      R"("num_attention_heads":4,"num_hidden_layers":2,"num_key_value_heads":2,)"
      R"("rms_norm_eps":1e-05,"rope_theta":500000.0,"vocab_size":300,"tie_word_embeddings":true,)"
      R"("quantization_config":{"quant_method":"bitnet","linear_class":"autobitlinear"}})";
  Survive(Bytes(config), 4000, 1 << 20,
          [](const std::vector<uint8_t>& bytes) { ParseHfConfig(Text(bytes), "x"); });
}

TEST(Mutations, TokenizerJson) {
  const std::string json =
      R"({"added_tokens":[{"id":4,"content":"<s>","special":true}],)"
      R"("pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true},)"
      R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},)"
      R"({"Sequence":{"id":"A"}}]},)"
      R"("model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"c":3},"merges":["a b"]}})";
  Survive(Bytes(json), 4000, 8 << 20, [](const std::vector<uint8_t>& bytes) {
    std::vector<std::string> notes;
    const Tokenizer tokenizer(ParseTokenizerJson(Text(bytes), "x", &notes));
    tokenizer.Encode("abcab", {.parse_special = true});
  });
}

TEST(Mutations, SentencePiece) {
  // Three pieces, then training {model_type: 2}.
  std::string file;
  for (const char* piece : {"<unk>", "a", "ab"}) {
    const std::string text = piece;
    std::string body = std::string("\x0a") + static_cast<char>(text.size()) + text;
    body += std::string("\x15\x00\x00\x80\xbf", 5);
    body += std::string("\x18") + static_cast<char>(text == "<unk>" ? 2 : 1);
    file += std::string("\x0a") + static_cast<char>(body.size()) + body;
  }
  file += std::string("\x12\x02\x18\x02", 4);
  Survive(Bytes(file), 4000, 4 << 20, [](const std::vector<uint8_t>& bytes) {
    const Tokenizer tokenizer(ReadSentencePiece(bytes, "x"));
    tokenizer.Encode("ab ba");
  });
}

TEST(Mutations, Tiktoken) {
  Survive(Bytes("YQ== 0\nYg== 1\nYWI= 2\n"), 2000, 4 << 20, [](const std::vector<uint8_t>& bytes) {
    const Tokenizer tokenizer(ReadTiktoken(Text(bytes), "x"));
    tokenizer.Encode("abab");
  });
}

}  // namespace
}  // namespace trit
