// GGUF files: written, read back, and every way of being broken told in a sentence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/gguf/gguf_file.h"
#include "model/tokenizer/tokenizer.h"
#include "targets/base/error.h"
#include "tests/formats/builders.h"

namespace trit {
namespace {

using ::testing::HasSubstr;

template <typename T>
void Poke(std::vector<uint8_t>* file, size_t at, T value) {
  std::memcpy(file->data() + at, &value, sizeof(T));
}

// Where a text begins in the file.
size_t Place(const std::vector<uint8_t>& file, const std::string& text) {
  const auto at = std::search(file.begin(), file.end(), text.begin(), text.end());
  EXPECT_NE(at, file.end()) << text;
  return static_cast<size_t>(at - file.begin());
}

std::string FaultOf(const std::vector<uint8_t>& file) {
  return test::Fault([&] { ParseGguf(file, "x.gguf", "128"); });
}

TEST(Gguf, ReadsBackWhatWasWritten) {
  const test::Folder folder;
  const auto bytes = test::SmallGguf();
  const std::string path =
      folder.Write("a.gguf", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const auto source = OpenModel(path);
  EXPECT_EQ(source->format(), "gguf v3");
  EXPECT_EQ(source->architecture(), "bitnet-b1.58");
  EXPECT_EQ(source->metadata().U32("bitnet-b1.58.block_count"), 1u);
  EXPECT_EQ(source->metadata().F32("bitnet-b1.58.attention.layer_norm_rms_epsilon"), 1e-5f);
  const auto trits = test::RandomTrits(2 * 256, 5);
  for (const char* name : {"blk.0.i2_s.weight", "blk.0.tq1_0.weight", "blk.0.tq2_0.weight"}) {
    const auto tensor = source->Ternary(name);
    std::vector<int8_t> out(512);
    tensor->ReadTrits(0, 2, out.data());
    EXPECT_TRUE(out == trits) << name;
    EXPECT_EQ(tensor->Scales().values, std::vector<float>{0.5f});
    const auto dense = source->Dense(name);
    std::vector<float> values(256);
    dense->ReadRowsF32(1, 2, values.data());
    for (size_t c = 0; c < 256; ++c) ASSERT_EQ(values[c], 0.5f * trits[256 + c]);
  }
  EXPECT_FALSE(source->Ternary("blk.0.i2_s.weight")->Hash() ==
               source->Ternary("blk.0.tq1_0.weight")->Hash());
  const auto norm = source->Dense("output_norm.weight");
  EXPECT_EQ(norm->rows(), 1);
  EXPECT_EQ(norm->cols(), 64);
  const Tokenizer tokenizer(source->Tokenizer());
  EXPECT_EQ(tokenizer.size(), 300);
  EXPECT_EQ(source->FindTensor("nothing"), nullptr);
  EXPECT_THAT(test::Fault([&] { source->Ternary("nothing"); }),
              HasSubstr("the tensor nothing is missing"));
  EXPECT_THAT(test::Fault([&] { source->Ternary("output_norm.weight")->Scales(); }),
              HasSubstr("is said to be ternary but is not"));
}

TEST(Gguf, Version2IsTheSame) {
  auto file = test::SmallGguf();
  Poke<uint32_t>(&file, 4, 2);
  EXPECT_EQ(ParseGguf(file, "x", "128").version, 2u);
}

TEST(Gguf, KeysAreTypedAndMissingOnesNamed) {
  const auto bytes = test::SmallGguf();
  const GgufFile file = ParseGguf(bytes, "x.gguf", "128");
  EXPECT_THAT(test::Fault([&] { file.metadata.U32("bitnet-b1.58.head_count"); }),
              HasSubstr("x.gguf: the key bitnet-b1.58.head_count is missing"));
  EXPECT_THAT(test::Fault([&] { file.metadata.U32("general.architecture"); }),
              HasSubstr("should be an unsigned integer and is string"));
  EXPECT_THAT(test::Fault([&] { file.metadata.Strings("tokenizer.ggml.token_type"); }),
              HasSubstr("should be an array of strings and is array of i32"));
}

TEST(Gguf, KeysNobodyAskedForAreKnown) {
  const auto bytes = test::SmallGguf();
  const GgufFile file = ParseGguf(bytes, "x.gguf", "128");
  file.metadata.U32("bitnet-b1.58.block_count");
  EXPECT_THAT(file.metadata.Unconsulted("bitnet-b1.58."),
              ::testing::ElementsAre("bitnet-b1.58.attention.layer_norm_rms_epsilon"));
}

TEST(Gguf, CompanionScalesMultiply) {
  Metadata metadata("x");
  metadata.SetString("general.architecture", "bitnet");
  const auto trits = test::RandomTrits(256, 9);
  const float factor = 0.3f;
  std::vector<uint8_t> scale(4);
  std::memcpy(scale.data(), &factor, 4);
  const auto bytes = test::BuildGguf(
      metadata,
      {{"blk.0.attn_q.weight", 35, {256, 1}, test::Encode(*FindTernaryEncoding("tq2_0"), trits, 1)},
       {"blk.0.attn_q.scale", 0, {1}, scale}});
  const test::Folder folder;
  const auto source = OpenModel(
      folder.Write("a.gguf", {reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  EXPECT_EQ(source->Ternary("blk.0.attn_q.weight")->Scales().values, std::vector<float>{0.3f});
}

TEST(Gguf, EveryTruncationIsASentence) {
  const auto file = test::SmallGguf();
  const size_t whole = ParseGguf(file, "x", "128").tensors.back().offset + 64 * 4;
  for (size_t size = 0; size < whole; size += size < 2000 ? 1 : 97) {
    const std::vector<uint8_t> part(file.begin(), file.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_THAT(FaultOf(part), HasSubstr("x.gguf is not a sound GGUF file: ")) << size;
  }
  const std::vector<uint8_t> ten(file.begin(), file.begin() + 10);
  EXPECT_THAT(FaultOf(ten), HasSubstr("it ends inside the number of tensors"));
  EXPECT_EQ(
      FaultOf(std::vector<uint8_t>(file.begin(), file.begin() + static_cast<ptrdiff_t>(whole))),
      "");
}

TEST(Gguf, HugeCountsAllocateNothing) {
  auto file = test::SmallGguf();
  Poke<uint64_t>(&file, 8, uint64_t{1} << 63);
  EXPECT_THAT(FaultOf(file), HasSubstr("claims 9223372036854775808 tensors"));
  file = test::SmallGguf();
  Poke<uint64_t>(&file, 16, uint64_t{1} << 63);
  EXPECT_THAT(FaultOf(file), HasSubstr("claims 9223372036854775808 keys"));
  file = test::SmallGguf();
  const size_t tokens = Place(file, "tokenizer.ggml.tokens") + 21;  // type, element, count
  Poke<uint64_t>(&file, tokens + 8, uint64_t{1} << 60);
  EXPECT_THAT(FaultOf(file), HasSubstr("claims 1152921504606846976 strings"));
  file = test::SmallGguf();
  Poke<uint64_t>(&file, 24, uint64_t{1} << 62);  // length of the first key
  EXPECT_THAT(FaultOf(file), HasSubstr("a key claims a length"));
}

TEST(Gguf, BrokenTensorDescriptions) {
  const std::string name = "blk.0.tq1_0.weight";
  const auto fresh = test::SmallGguf();
  const size_t at = Place(fresh, name) + name.size();  // dims, dim 0, dim 1, type, offset
  auto file = fresh;
  Poke<uint32_t>(&file, at, 9);
  EXPECT_THAT(FaultOf(file), HasSubstr("has 9 dimensions"));
  file = fresh;
  Poke<uint64_t>(&file, at + 4, uint64_t{1} << 40);
  EXPECT_THAT(FaultOf(file), HasSubstr("has a dimension of 1099511627776"));
  file = fresh;
  Poke<uint64_t>(&file, at + 4, 0x7fffff00);
  Poke<uint64_t>(&file, at + 12, 0x7fffff00);
  EXPECT_THAT(FaultOf(file), HasSubstr("more than 2^48 elements"));
  file = fresh;
  Poke<uint64_t>(&file, at + 4, 250);
  EXPECT_THAT(FaultOf(file), HasSubstr("tq1_0 needs K to be a multiple of 256"));
  file = fresh;
  Poke<uint32_t>(&file, at + 20, 38);
  EXPECT_THAT(FaultOf(file), HasSubstr("trit convert HF_FOLDER --type i2_s"));
  file = fresh;
  Poke<uint32_t>(&file, at + 20, 77);
  EXPECT_THAT(FaultOf(file), HasSubstr("has type 77, which is unknown; known are i2_s, tq1_0"));
  file = fresh;
  Poke<uint64_t>(&file, at + 24, 7);
  EXPECT_THAT(FaultOf(file), HasSubstr("no multiple of the alignment 32"));
  file = fresh;
  Poke<uint64_t>(&file, at + 24, 0);
  EXPECT_THAT(FaultOf(file), HasSubstr("overlap"));
  file = fresh;
  Poke<uint64_t>(&file, at + 24, ~uint64_t{31});
  EXPECT_THAT(FaultOf(file), HasSubstr("the file is cut short"));
  file = fresh;
  std::memcpy(file.data() + Place(file, name), "blk.0.tq2_0.weight", name.size());
  EXPECT_THAT(FaultOf(file), HasSubstr("the tensor blk.0.tq2_0.weight appears twice"));
}

TEST(Gguf, WrongBeginnings) {
  auto file = test::SmallGguf();
  file[0] = 'X';
  EXPECT_THAT(FaultOf(file), HasSubstr("it does not begin with GGUF"));
  file = test::SmallGguf();
  Poke<uint32_t>(&file, 4, 0x03000000);
  EXPECT_THAT(FaultOf(file), HasSubstr("it is big-endian"));
  Poke<uint32_t>(&file, 4, 1);
  EXPECT_THAT(FaultOf(file), HasSubstr("its version is 1; 2 and 3 are read"));
}

TEST(Gguf, PreTokenizerOfOldFilesIsSettledByArchitecture) {
  Metadata metadata("x");
  WriteGgufTokenizer(SynthVocabulary(300), &metadata);
  metadata.Erase("tokenizer.ggml.pre");
  std::vector<std::string> notes;
  metadata.SetString("general.architecture", "bitnet-25");
  EXPECT_EQ(ReadGgufTokenizer(metadata, &notes).pre, "llama-bpe");
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes[0], HasSubstr("for bitnet-25 that is Llama-3's"));
  metadata.SetString("general.architecture", "llama");
  EXPECT_THAT(test::Fault([&] { ReadGgufTokenizer(metadata, &notes); }),
              HasSubstr("the key tokenizer.ggml.pre is missing"));
}

TEST(Gguf, TokenizerSpecSurvives) {
  TokenizerSpec spec = SynthVocabulary(400);
  spec.ignore_merges = false;  // not what llama-bpe implies
  spec.chat_template = "{{ messages }}";
  Metadata metadata("x");
  metadata.SetString("general.architecture", "bitnet-b1.58");
  WriteGgufTokenizer(spec, &metadata);
  std::vector<std::string> notes;
  const TokenizerSpec back = ReadGgufTokenizer(metadata, &notes);
  EXPECT_EQ(back.tokens, spec.tokens);
  EXPECT_EQ(back.merges, spec.merges);
  EXPECT_EQ(back.kinds, spec.kinds);
  EXPECT_EQ(back.ignore_merges, false);
  EXPECT_EQ(back.bos, spec.bos);
  EXPECT_EQ(back.add_bos, true);
  EXPECT_EQ(back.chat_template, spec.chat_template);
  EXPECT_THAT(back.stop, ::testing::UnorderedElementsAreArray(spec.stop));
}

TEST(Gguf, FilesThatAreNone) {
  const test::Folder folder;
  EXPECT_THAT(test::Fault([&] { OpenModel(folder / "none"); }),
              HasSubstr("no such file or folder"));
  EXPECT_THAT(test::Fault([&] { OpenModel(folder.Write("empty.gguf", "")); }),
              HasSubstr("it ends inside the magic number"));
  EXPECT_THAT(test::Fault([&] { OpenModel(folder.path()); }), HasSubstr("has no config.json"));
}

TEST(GgufWriting, NothingIsLeftWhenItFails) {
  const test::Folder folder;
  {
    GgufWriter writer(folder / "a.gguf", Metadata("x"), {{"t", 0, {4}, 16}});
    EXPECT_FALSE(std::filesystem::exists(folder / "a.gguf"));
    EXPECT_TRUE(std::filesystem::exists(writer.temporary_path()));
    const std::vector<uint8_t> bytes(17);
    EXPECT_THROW(writer.Write(0, 0, bytes), Error);
    EXPECT_THROW(writer.Write(0, 17, {}), Error);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_THROW(GgufWriter(folder / "no/such/a.gguf", Metadata("x"), {}), Error);
}

}  // namespace
}  // namespace trit
