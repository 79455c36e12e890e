// A model converted from one ternary encoding to the next: the same trits, scales and logits.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "model/convert/convert.h"
#include "model/convert/synth.h"
#include "model/convert/synth_vocabulary.h"
#include "model/session/model.h"

namespace trit {
namespace {

namespace fs = std::filesystem;

std::vector<float> Logits(const std::string& path) {
  ModelOptions options;
  options.threads = 1;
  options.cache_folder = "";
  const auto model = Model::Load(path, options);
  Session session(*model);
  std::vector<int32_t> tokens;
  for (int i = 0; i < 24; ++i) tokens.push_back((i * 97 + 5) % model->config().vocabulary);
  std::vector<float> all;
  session.FeedAll(tokens, 24, [&](int64_t, float* logits) {
    all.insert(all.end(), logits, logits + model->config().vocabulary);
  });
  return all;
}

void ExpectSameTernary(const std::string& a, const std::string& b) {
  const auto first = OpenModel(a), second = OpenModel(b);
  int compared = 0;
  for (const TensorInfo& info : first->tensors()) {
    if (!IsProjection(info.name)) continue;
    const auto x = first->Ternary(info.name), y = second->Ternary(info.name);
    ASSERT_EQ(x->n(), y->n()) << info.name;
    ASSERT_EQ(x->k(), y->k()) << info.name;
    const auto size = static_cast<size_t>(x->n() * x->k());
    std::vector<int8_t> trits_x(size), trits_y(size);
    x->ReadTrits(0, x->n(), trits_x.data());
    y->ReadTrits(0, y->n(), trits_y.data());
    EXPECT_TRUE(trits_x == trits_y) << info.name;
    const TernaryScales scales_x = x->Scales(), scales_y = y->Scales();
    for (int64_t r = 0; r < x->n(); ++r) {
      ASSERT_EQ(scales_x.values[static_cast<size_t>(r / scales_x.row_group)],
                scales_y.values[static_cast<size_t>(r / scales_y.row_group)])
          << info.name << " row " << r;
    }
    ++compared;
  }
  EXPECT_EQ(compared, 14);  // seven matrices in each of two layers
}

TEST(Conversion, KeepsTritsScalesAndEveryBitOfTheLogits) {
  const fs::path folder =
      fs::path(testing::TempDir()) / ("trit_convert_logits_" + std::to_string(getpid()));
  fs::create_directories(folder);
  for (const char* preset : {"tiny", "tiny-llama"}) {
    const Preset& shape = FindPreset(preset);
    const std::string first = folder / (std::string(preset) + ".gguf");
    SynthModel(shape, SynthVocabulary(shape.vocab), first, {.seed = 9, .dead_ffn = 0.1});
    const std::vector<float> wanted = Logits(first);
    std::string from = first;
    for (const char* type : {"tq2_0", "tq1_0", "i2_s"}) {
      const std::string to = folder / (std::string(preset) + "." + type + ".gguf");
      ConvertModel(*OpenModel(from), to, {.type = type});
      ExpectSameTernary(first, to);
      EXPECT_TRUE(Logits(to) == wanted) << preset << " as " << type;
      from = to;
    }
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace trit
