// Every published input/output pair, for the Llama-3 ranks and for a SentencePiece vocabulary.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>

#include "model/source/model_source.h"
#include "model/tokenizer/tiktoken.h"
#include "model/tokenizer/tokenizer.h"
#include "tests/tokenizer/data.h"

namespace trit {
namespace {

struct Pair {
  std::string text;
  std::vector<int32_t> ids;
};

// Inputs are separated by a line "__ggml_vocab_test__"; outputs are a line of ids each.
std::vector<Pair> ReadPairs(const std::filesystem::path& folder, const std::string& name) {
  const std::string inputs = test::ReadFile(folder / (name + ".inp"));
  const std::string mark = "\n__ggml_vocab_test__\n";
  std::vector<Pair> pairs;
  std::istringstream outputs(test::ReadFile(folder / (name + ".out")));
  size_t at = 0;
  while (at <= inputs.size()) {
    const size_t end = std::min(inputs.find(mark, at), inputs.size());
    std::string line;
    if (!std::getline(outputs, line)) break;
    Pair pair{inputs.substr(at, end - at), {}};
    std::istringstream numbers(line);
    for (int32_t id; numbers >> id;) pair.ids.push_back(id);
    pairs.push_back(std::move(pair));
    at = end + mark.size();
  }
  return pairs;
}

std::string Shown(const std::string& text) {
  return ::testing::PrintToString(text);
}

class Published : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = test::TokenizerData();
    if (!std::filesystem::exists(folder_)) {
      GTEST_SKIP() << "no published tokenizer data at " << folder_;
    }
  }
  void CheckAll(const Tokenizer& tokenizer, const std::string& name) {
    const auto pairs = ReadPairs(folder_, name);
    ASSERT_GE(pairs.size(), 40u);
    for (const Pair& pair : pairs) {
      const auto ids = tokenizer.Encode(pair.text, {.add_special = false});
      EXPECT_EQ(ids, pair.ids) << Shown(pair.text);
      EXPECT_EQ(tokenizer.Decode(ids), pair.text) << Shown(pair.text);
    }
  }
  std::filesystem::path folder_;
};

TEST_F(Published, Llama3RanksGiveThePublishedIds) {
  const Tokenizer tokenizer(
      ReadTiktoken(test::ReadFile(folder_ / "llama3.tiktoken"), "llama3.tiktoken"));
  EXPECT_EQ(tokenizer.size(), 128256);
  CheckAll(tokenizer, "llama-bpe");
}

TEST_F(Published, Llama3MergesGiveThePublishedIds) {
  TokenizerSpec spec = ReadTiktoken(test::ReadFile(folder_ / "llama3.tiktoken"), "llama3.tiktoken");
  RanksToMerges(&spec);
  EXPECT_EQ(spec.merges.size(), 280147u);  // what the published 2B4T file has
  const Tokenizer tokenizer(std::move(spec));
  CheckAll(tokenizer, "llama-bpe");
}

TEST_F(Published, SentencePieceFromGguf) {
  const auto source = OpenModel((folder_ / "llama-spm.gguf").string());
  const Tokenizer tokenizer(source->Tokenizer());
  EXPECT_EQ(tokenizer.size(), 32000);
  CheckAll(tokenizer, "llama-spm");
}

TEST_F(Published, Llama3SpecialTokens) {
  const Tokenizer tokenizer(
      ReadTiktoken(test::ReadFile(folder_ / "llama3.tiktoken"), "llama3.tiktoken"));
  EXPECT_THAT(tokenizer.Encode("Hello<|eot_id|>", {.parse_special = true}),
              ::testing::ElementsAre(128000, 9906, 128009));
  const auto plain = tokenizer.Encode("Hello<|eot_id|>", {.parse_special = false});
  EXPECT_EQ(std::count(plain.begin(), plain.end(), 128009), 0);
  EXPECT_EQ(tokenizer.Decode(plain), "Hello<|eot_id|>");
  EXPECT_TRUE(tokenizer.IsStop(128001));
  EXPECT_TRUE(tokenizer.IsStop(128009));
  EXPECT_FALSE(tokenizer.IsStop(128000));
}

}  // namespace
}  // namespace trit
