// Conversions between the ternary encodings, and the models that `trit synth` makes.
#include "model/convert/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "model/convert/memory_plan.h"
#include "model/convert/statistics.h"
#include "model/convert/synth.h"
#include "targets/base/error.h"
#include "tests/formats/builders.h"

namespace trit {
namespace {

using ::testing::HasSubstr;

std::string Synth(const test::Folder& folder, const std::string& name, const SynthOptions& options,
                  const char* preset = "tiny") {
  const Preset& shape = FindPreset(preset);
  SynthModel(shape, SynthVocabulary(shape.vocab), folder / name, options);
  return folder / name;
}

void Convert(const std::string& from, const std::string& to, const ConvertOptions& options) {
  ConvertModel(*OpenModel(from), to, options);
}

TEST(Conversion, RoundTheEncodingsTheFileIsTheSameBytes) {
  const test::Folder folder;
  const std::string first = Synth(folder, "a.gguf", {.threads = 2});
  Convert(first, folder / "b.gguf", {.type = "tq2_0", .threads = 2});
  Convert(folder / "b.gguf", folder / "c.gguf", {.type = "tq1_0"});
  Convert(folder / "c.gguf", folder / "d.gguf", {.type = "i2_s"});
  EXPECT_EQ(OpenModel(folder / "b.gguf")->FindTensor("blk.0.attn_q.weight")->encoding, "tq2_0");
  EXPECT_EQ(OpenModel(folder / "c.gguf")->FindTensor("blk.0.attn_q.weight")->encoding, "tq1_0");
  EXPECT_TRUE(test::ReadAll(first) == test::ReadAll(folder / "d.gguf"));
}

TEST(Conversion, ScalesThatF16DoesNotHoldKeepTheirBits) {
  Metadata metadata("x");
  metadata.SetString("general.architecture", "bitnet-b1.58");
  const auto trits = test::RandomTrits(4 * 256, 3);
  const float scale = 0.1f;
  const auto bytes =
      test::BuildGguf(metadata, {{"blk.0.ffn_up.weight",
                                  36,
                                  {256, 4},
                                  test::Encode(*FindTernaryEncoding("i2_s"), trits, scale)}});
  const test::Folder folder;
  folder.Write("a.gguf", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  Convert(folder / "a.gguf", folder / "b.gguf", {.type = "tq1_0"});
  const auto middle = OpenModel(folder / "b.gguf");
  EXPECT_NE(middle->FindTensor("blk.0.ffn_up.scale"), nullptr);
  EXPECT_EQ(middle->Ternary("blk.0.ffn_up.weight")->Scales().values, std::vector<float>{scale});
  Convert(folder / "b.gguf", folder / "c.gguf", {.type = "i2_s"});
  const auto last = OpenModel(folder / "c.gguf");
  EXPECT_EQ(last->FindTensor("blk.0.ffn_up.scale"), nullptr);
  EXPECT_EQ(last->Ternary("blk.0.ffn_up.weight")->Scales().values, std::vector<float>{scale});
}

TEST(Conversion, WhatAnEncodingCannotHoldIsRefusedAndLeavesNoFile) {
  const test::Folder folder;
  const std::string odd = Synth(folder, "odd.gguf", {}, "tiny-odd");  // K = 160: no multiple of 256
  EXPECT_THAT(test::Fault([&] { Convert(odd, folder / "b.gguf", {.type = "tq1_0"}); }),
              HasSubstr("but tq1_0 needs K to be a multiple of 256"));
  EXPECT_THAT(test::Fault([&] { Convert(odd, folder / "b.gguf", {.type = "iq2_bn"}); }),
              HasSubstr("--type iq2_bn is not written; known are i2_s, tq1_0, tq2_0"));
  EXPECT_THAT(test::Fault([&] { Convert(odd, folder / "b.gguf", {.head = "q5_k"}); }),
              HasSubstr("--head q5_k is not written"));
  // Scales by row have no place in I2_S.
  Metadata metadata("x");
  metadata.SetString("general.architecture", "llama");
  std::vector<uint8_t> rows(2 * 20);
  const float one = 1, two = 2;
  std::memcpy(rows.data(), &one, 4);
  std::memcpy(rows.data() + 20, &two, 4);
  const auto bytes = test::BuildGguf(metadata, {{"blk.0.attn_q.weight", 135, {64, 2}, rows}});
  folder.Write("rows.gguf", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  EXPECT_THAT(test::Fault([&] { Convert(folder / "rows.gguf", folder / "b.gguf", {}); }),
              HasSubstr("blk.0.attn_q.weight has 2 scales"));
  EXPECT_FALSE(std::filesystem::exists(folder / "b.gguf"));
}

TEST(Conversion, HeadsAreRequantised) {
  const test::Folder folder;
  const std::string first = Synth(folder, "a.gguf", {.head = "f32"});
  for (const char* head : {"f16", "q8_0", "q6_k", "q4_0"}) {
    Convert(first, folder / head, {.head = head});
    const auto before = OpenModel(first), after = OpenModel(folder / head);
    EXPECT_EQ(after->FindTensor("token_embd.weight")->encoding, head);
    std::vector<float> want(256), got(256);
    before->Dense("token_embd.weight")->ReadRowsF32(7, 8, want.data());
    after->Dense("token_embd.weight")->ReadRowsF32(7, 8, got.data());
    for (size_t i = 0; i < 256; ++i) EXPECT_NEAR(got[i], want[i], 0.06) << head;
  }
}

TEST(Synthesis, DependsOnTheSeedAlone) {
  const test::Folder folder;
  const std::string one = test::ReadAll(Synth(folder, "1", {.seed = 7, .threads = 1}));
  EXPECT_TRUE(one == test::ReadAll(Synth(folder, "2", {.seed = 7, .threads = 3})));
  EXPECT_FALSE(one == test::ReadAll(Synth(folder, "3", {.seed = 8, .threads = 1})));
  // The same trits in another encoding.
  const auto a = OpenModel(folder / "1");
  const auto b = OpenModel(Synth(folder, "4", {.seed = 7, .type = "tq1_0"}));
  std::vector<int8_t> x(256 * 512), y(256 * 512);
  a->Ternary("blk.1.ffn_down.weight")->ReadTrits(0, 256, x.data());
  b->Ternary("blk.1.ffn_down.weight")->ReadTrits(0, 256, y.data());
  EXPECT_TRUE(x == y);
}

TEST(Synthesis, EveryTinyPresetInEveryEncodingItsShapesAllow) {
  const test::Folder folder;
  for (const char* preset : {"tiny", "tiny-llama", "tiny-odd"}) {
    for (const char* type : {"i2_s", "tq2_0", "tq1_0"}) {
      if (std::string(preset) == "tiny-odd" && std::string(type) != "i2_s") continue;
      const auto source = OpenModel(Synth(folder, "m", {.type = type}, preset));
      EXPECT_EQ(source->architecture(), FindPreset(preset).architecture);
      const ModelStatistics statistics = CountModel(*source, 2);
      const auto total = static_cast<double>(statistics.all.total());
      // 28.9 / 42.2 / 28.9 %, within five standard deviations.
      const double slack = 5 * 0.5 / std::sqrt(total);
      EXPECT_NEAR(static_cast<double>(statistics.all.minus) / total, 0.289, slack);
      EXPECT_NEAR(static_cast<double>(statistics.all.zero) / total, 0.4219, slack);
      EXPECT_NEAR(static_cast<double>(statistics.all.plus) / total, 0.289, slack);
      EXPECT_TRUE(statistics.warnings.empty());
      const MemoryPlan from_file = PlanModel(*source),
                       from_preset = PlanPreset(FindPreset(preset), "f16");
      EXPECT_EQ(from_file.ternary_weights, from_preset.ternary_weights);
      EXPECT_EQ(from_file.ternary_weights, static_cast<uint64_t>(statistics.all.total()));
      EXPECT_EQ(from_file.embedding_bytes, from_preset.embedding_bytes);
      EXPECT_EQ(from_file.norm_bytes, from_preset.norm_bytes);
      EXPECT_EQ(from_file.kv_bytes_per_token, from_preset.kv_bytes_per_token);
    }
  }
}

TEST(Synthesis, DeadNeuronsAreCounted) {
  const test::Folder folder;
  const auto alive = OpenModel(Synth(folder, "alive", {}));
  EXPECT_EQ(CountModel(*alive, 1).dead_neurons, 0);
  const auto source = OpenModel(Synth(folder, "dead", {.dead_ffn = 0.25, .threads = 2}));
  const ModelStatistics statistics = CountModel(*source, 2);
  EXPECT_EQ(statistics.neurons, 1024);
  EXPECT_NEAR(static_cast<double>(statistics.dead_neurons), 256, 70);
  EXPECT_EQ(statistics.dead_weights, statistics.dead_neurons * 3 * 256);
  // Counted here once more, plainly.
  int64_t dead = 0;
  for (const char* block : {"blk.0", "blk.1"}) {
    std::vector<int8_t> gate(512 * 256), up(512 * 256);
    source->Ternary(std::string(block) + ".ffn_gate.weight")->ReadTrits(0, 512, gate.data());
    source->Ternary(std::string(block) + ".ffn_up.weight")->ReadTrits(0, 512, up.data());
    for (size_t r = 0; r < 512; ++r) {
      bool zero = true;
      for (size_t c = 0; c < 256; ++c) zero &= gate[r * 256 + c] == 0 && up[r * 256 + c] == 0;
      dead += zero ? 1 : 0;
    }
  }
  EXPECT_EQ(statistics.dead_neurons, dead);
}

TEST(Statistics, ReciprocalScalesAreWarnedOf) {
  Metadata metadata("x");
  metadata.SetString("general.architecture", "llama");
  const auto trits = test::RandomTrits(256, 3);
  const auto bytes =
      test::BuildGguf(metadata, {{"blk.0.ffn_up.weight",
                                  36,
                                  {256, 1},
                                  test::Encode(*FindTernaryEncoding("i2_s"), trits, 51.2f)}});
  const test::Folder folder;
  folder.Write("a.gguf", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  const auto statistics = CountModel(*OpenModel(folder / "a.gguf"), 1);
  ASSERT_EQ(statistics.warnings.size(), 1u);
  EXPECT_THAT(statistics.warnings[0], HasSubstr("may be the reciprocal"));
}

TEST(Plans, The2B4TNumbers) {
  const MemoryPlan plan = PlanPreset(FindPreset("2b4t"), "f16");
  EXPECT_EQ(plan.ternary_weights, 2084044800u);
  EXPECT_EQ(plan.packed_2bit_bytes, 521011200u);
  EXPECT_EQ(plan.embedding_bytes, uint64_t{128256} * 2560 * 2);
  EXPECT_EQ(plan.kv_bytes_per_token, 2u * 5 * 128 * 2 * 30);
  // With norms: the published parameter count.
  EXPECT_EQ(plan.ternary_weights + plan.embedding_bytes / 2 + plan.norm_bytes / 4, 2412820480u);
  EXPECT_THAT(test::Fault([] { FindPreset("5b"); }),
              HasSubstr("the preset 5b is unknown; known are tiny"));
}

}  // namespace
}  // namespace trit
