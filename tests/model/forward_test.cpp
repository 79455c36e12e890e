// The forward pass against the plain one in double precision, and the equalities it promises.
#include "model/arch/forward.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "model/session/model.h"
#include "targets/base/error.h"
#include "tests/model/tiny_model.h"

namespace trit {
namespace {

using kit::MakeTiny;
using kit::TinyModel;
using kit::TinyShape;

ModelOptions Options(int threads = 1, int batch = 64) {
  ModelOptions options;
  options.threads = threads;
  options.batch = batch;
  options.kv = ops::KvType::kF32;
  options.cache_folder = "";
  return options;
}

std::vector<int32_t> Tokens(int n, int vocabulary, uint32_t seed = 3) {
  std::vector<int32_t> tokens;
  for (int i = 0; i < n; ++i) {
    seed = seed * 1664525u + 1013904223u;
    tokens.push_back(static_cast<int32_t>((seed >> 8) % static_cast<uint32_t>(vocabulary)));
  }
  return tokens;
}

// Logits of every token.
std::vector<float> Logits(Model& model, const std::vector<int32_t>& tokens) {
  Session session(model);
  std::vector<float> all;
  session.FeedAll(tokens, static_cast<int64_t>(tokens.size()), [&](int64_t, float* logits) {
    all.insert(all.end(), logits, logits + model.config().vocabulary);
  });
  return all;
}

std::vector<float> Logits(const TinyModel& tiny, const ModelOptions& options,
                          const std::vector<int32_t>& tokens) {
  return Logits(*Model::FromSource(tiny.Source(), options), tokens);
}

struct Named {
  const char* name;
  TinyShape shape;
};

const Named kModels[] = {
    {"bitnet_b158", {.arch = "bitnet-b1.58"}},
    {"bitnet_25_with_key", {.arch = "bitnet-25", .activation = "silu"}},
    {"bitnet", {.arch = "bitnet", .kv_heads = 4}},
    {"bitnet_head_dim_100",
     {.arch = "bitnet",
      .layers = 1,
      .hidden = 40,
      .ffn = 54,
      .heads = 1,
      .kv_heads = 1,
      .head_dim = 100}},
    {"llama_gguf", {.arch = "llama", .tied = false, .halves = false}},
    {"llama_hf_row_scales", {.arch = "llama", .kv_heads = 1, .row_scales = true}},
    {"dead_neurons", {.arch = "bitnet-b1.58", .ffn = 200, .dead_every = 3}},
};

class ArchitectureTest : public testing::TestWithParam<Named> {};

TEST_P(ArchitectureTest, AgreesWithThePlainForwardPass) {
  int compared = 0;
  for (uint32_t seed = 1; seed <= 40 && compared < 3; ++seed) {
    TinyShape shape = GetParam().shape;
    shape.seed = seed;
    const TinyModel tiny = MakeTiny(shape);
    const auto tokens = Tokens(4, shape.vocabulary, seed);
    const kit::Reference wanted = RunReference(tiny, tokens);
    // 127 times the relative error that a value has gathered by then (below 1e-6): nearer to a tie
    // than this, float32 may round to the other side.
    if (wanted.margin < 1e-4) continue;
    ++compared;
    const auto got = Logits(tiny, Options(), tokens);
    // With equal int8 values the integer sums are equal. What is left are float operations: some 64
    // roundings a layer on a value's way and hidden / 32 in the head, each at most u relative to
    // the values of its row, amplified by norms of rows that cancel (factor 32 at most here).
    const double u = 1.0 / (1 << 24);
    const double relative = (64.0 * shape.layers + shape.hidden / 32.0 + 16) * u * 32;
    double largest = 0;
    for (const auto& row : wanted.logits) {
      for (const double v : row) largest = std::max(largest, std::fabs(v));
    }
    for (size_t t = 0; t < tokens.size(); ++t) {
      for (size_t n = 0; n < wanted.logits[t].size(); ++n) {
        ASSERT_NEAR(got[t * wanted.logits[t].size() + n], wanted.logits[t][n], relative * largest)
            << "seed " << seed << " token " << t << " logit " << n;
      }
    }
  }
  EXPECT_EQ(compared, 3) << "too few seeds without a rounding tie";
}

TEST_P(ArchitectureTest, ThreadsAndBatchesKeepEveryBit) {
  const TinyModel tiny = MakeTiny(GetParam().shape);
  const auto tokens = Tokens(70, GetParam().shape.vocabulary);
  for (const auto kv : {ops::KvType::kF16, ops::KvType::kInt8}) {
    ModelOptions options = Options(1, 128);
    options.kv = kv;
    const auto wanted = Logits(tiny, options, tokens);
    for (const auto& [threads, batch] : {std::pair{2, 128}, {1, 1}, {2, 1}, {2, 7}, {1, 33}}) {
      options.threads = threads;
      options.batch = batch;
      EXPECT_EQ(Logits(tiny, options, tokens), wanted) << threads << " threads, batch " << batch;
    }
  }
}

TEST_P(ArchitectureTest, OtherSequencesInTheBatchKeepEveryBit) {
  const int vocabulary = GetParam().shape.vocabulary;
  const TinyModel tiny = MakeTiny(GetParam().shape);
  const auto model = Model::FromSource(tiny.Source(), Options(2));
  const auto a = Tokens(20, vocabulary, 5), b = Tokens(9, vocabulary, 6);
  const auto wanted_a = Logits(*model, a), wanted_b = Logits(*model, b);
  KvSequence sa(model->kv_pool()), sb(model->kv_pool());
  std::vector<float> got_a, got_b;
  const auto sink = [&](int segment, int64_t, float* logits) {
    auto& out = segment == 0 ? got_a : got_b;
    out.insert(out.end(), logits, logits + vocabulary);
  };
  // a: 11 tokens, 8 tokens, 1 token; b: 1, 1, 7.
  size_t at_a = 0, at_b = 0;
  for (const auto& [na, nb] : {std::pair<size_t, size_t>{11, 1}, {8, 1}, {1, 7}}) {
    const Segment segments[] = {{&sa, std::span(a).subspan(at_a, na), static_cast<int64_t>(na)},
                                {&sb, std::span(b).subspan(at_b, nb), static_cast<int64_t>(nb)}};
    model->forward().Run(segments, sink);
    at_a += na, at_b += nb;
  }
  EXPECT_EQ(got_a, wanted_a);
  EXPECT_EQ(got_b, wanted_b);
}

// Eight sequences, a token each: where the kernels part tokens between threads, these go apart, and
// together again when one sequence is much longer than the others.
TEST_P(ArchitectureTest, StreamsThatGoApartKeepEveryBit) {
  const int vocabulary = GetParam().shape.vocabulary;
  const TinyModel tiny = MakeTiny(GetParam().shape);
  const auto model = Model::FromSource(tiny.Source(), Options(2));
  const LayerWeights& layer = model->weights().layers.front();
  bool parted = true;  // all of a layer's products
  for (const PackedMatrix* m : {&layer.qkv, &layer.out, &layer.gate_up, &layer.down}) {
    parted &= m->plan().For(8).m_per_task == 4;
  }
  RecordProperty("parted", parted ? "yes" : "no");
  constexpr size_t kStreams = 8;
  for (const bool even : {true, false}) {
    std::vector<KvSequence> sequences;
    std::vector<std::vector<int32_t>> texts;
    std::vector<std::vector<float>> wanted, got(kStreams);
    for (size_t i = 0; i < kStreams; ++i) {
      sequences.emplace_back(model->kv_pool());
      // 0 .. 7 positions: two halves of equal sums.
      const size_t before = !even && i == 3 ? 60 : i;
      texts.push_back(
          Tokens(static_cast<int>(before) + 3, vocabulary, 20 + static_cast<uint32_t>(i)));
      wanted.push_back(Logits(*model, texts.back()));
      if (before == 0) continue;
      const Segment segment{&sequences[i], std::span(texts[i]).first(before),
                            static_cast<int64_t>(before)};
      model->forward().Run({&segment, 1}, [&](int, int64_t, float* logits) {
        got[i].insert(got[i].end(), logits, logits + vocabulary);
      });
    }
    for (int step = 0; step < 3; ++step) {
      std::vector<Segment> segments;
      for (size_t i = 0; i < kStreams; ++i) {
        const size_t at = static_cast<size_t>(sequences[i].length());
        segments.push_back({&sequences[i], std::span(texts[i]).subspan(at, 1), 1});
      }
      int next = 0;
      model->forward().Run(segments, [&](int segment, int64_t, float* logits) {
        EXPECT_EQ(segment, next++);
        auto& out = got[static_cast<size_t>(segment)];
        out.insert(out.end(), logits, logits + vocabulary);
      });
      EXPECT_EQ(next, static_cast<int>(kStreams));
      EXPECT_EQ(model->forward().apart(), parted && even);
    }
    for (size_t i = 0; i < kStreams; ++i) EXPECT_EQ(got[i], wanted[i]) << "stream " << i;
  }
}

TEST_P(ArchitectureTest, KernelFamiliesGiveTheSameBits) {
  const TinyModel tiny = MakeTiny(GetParam().shape);
  const auto tokens = Tokens(12, GetParam().shape.vocabulary);
  const auto model = Model::FromSource(tiny.Source(), Options(2));
  const auto wanted = Logits(*model, tokens);
  std::vector<std::string> families;
  for (const auto& library : model->kernels().libraries()) {
    for (const trit_kernel* kernel : library->kernels()) families.push_back(kernel->family);
  }
  std::sort(families.begin(), families.end());
  families.erase(std::unique(families.begin(), families.end()), families.end());
  EXPECT_FALSE(families.empty());
  for (const std::string& family : families) {
    ModelOptions options = Options(2);
    options.family = family;
    EXPECT_EQ(Logits(tiny, options, tokens), wanted) << family;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ArchitectureTest, testing::ValuesIn(kModels),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(DeadNeurons, DroppingThemKeepsEveryBit) {
  for (const int every : {2, 3, 5}) {
    const TinyModel tiny = MakeTiny({.ffn = 300, .dead_every = every});
    const auto tokens = Tokens(10, 50);
    ModelOptions options = Options();
    const auto dropped = Model::FromSource(tiny.Source(), options);
    options.keep_dead_neurons = true;
    const auto kept = Model::FromSource(tiny.Source(), options);
    EXPECT_EQ(dropped->weights().dead_neurons, 2 * ((300 + every - 1) / every));
    EXPECT_LT(dropped->weights().layers[0].neurons, kept->weights().layers[0].neurons);
    EXPECT_EQ(Logits(*dropped, tokens), Logits(*kept, tokens));
  }
}

TEST(PackedCache, SecondLoadGivesTheSameBitsAndDamageIsNoticed) {
  const std::string folder = testing::TempDir() + "/trit_packed_cache_test";
  std::filesystem::remove_all(folder);
  const TinyModel tiny = MakeTiny({.ffn = 200, .dead_every = 5});
  const auto tokens = Tokens(6, 50);
  ModelOptions options = Options();
  options.cache_folder = folder;
  const auto first = Model::FromSource(tiny.Source(), options);
  EXPECT_FALSE(first->weights().from_cache);
  const auto second = Model::FromSource(tiny.Source(), options);
  EXPECT_TRUE(second->weights().from_cache);
  const auto wanted = Logits(*first, tokens);
  EXPECT_EQ(Logits(*second, tokens), wanted);
  ASSERT_FALSE(std::filesystem::is_empty(folder));
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry);
  ASSERT_EQ(files.size(), 2u * 4 + 1);  // four matrices a layer, the dead neurons
  for (const auto& path : files) {
    // The header, the checksums, the data. What is damaged is packed and stored anew.
    const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
    for (const int64_t at : {int64_t{3}, int64_t{20}, int64_t{4100}, size - 1}) {
      {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(at);
        const int byte = file.get();
        file.seekp(at);
        file.put(static_cast<char>(byte ^ 0x55));
      }
      const auto third = Model::FromSource(tiny.Source(), options);
      EXPECT_FALSE(third->weights().from_cache) << path << " damaged at " << at;
      EXPECT_EQ(Logits(*third, tokens), wanted) << path << " damaged at " << at;
      EXPECT_TRUE(Model::FromSource(tiny.Source(), options)->weights().from_cache);
    }
    std::filesystem::resize_file(path, 6000);
    EXPECT_EQ(Logits(tiny, options, tokens), wanted) << path << " cut short";
  }
  std::filesystem::remove_all(folder);
}

TEST(Config, UnknownKeysAndTensorsAreRefusedByName) {
  const auto refused = [](const TinyModel& tiny, const char* part) {
    try {
      Model::FromSource(tiny.Source(), Options());
      ADD_FAILURE() << "accepted; wanted a complaint about " << part;
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr(part));
    }
  };
  TinyModel tiny = MakeTiny({});
  tiny.metadata.SetF32("bitnet-b1.58.logit_scale", 0.5f);
  refused(tiny, "bitnet-b1.58.logit_scale");
  tiny = MakeTiny({});
  tiny.metadata.SetU32("bitnet-b1.58.expert_count", 0);  // says "nothing"
  Model::FromSource(tiny.Source(), Options());
  tiny.metadata.SetU32("bitnet-b1.58.rope.dimension_count", 8);
  refused(tiny, "rope.dimension_count");
  tiny = MakeTiny({});
  tiny.vectors["blk.0.attn_q.bias"] = {1, 64, std::vector<float>(64)};
  refused(tiny, "blk.0.attn_q.bias");
  tiny = MakeTiny({});
  tiny.metadata.SetString("general.architecture", "mamba");
  refused(tiny, "mamba");
  tiny = MakeTiny({});
  tiny.metadata.SetU32("bitnet-b1.58.attention.head_count_kv", 3);
  refused(tiny, "KV heads");
  tiny = MakeTiny({.activation = "gelu"});
  refused(tiny, "gelu");
  tiny = MakeTiny({});
  tiny.matrices.erase("blk.1.ffn_up.weight");
  refused(tiny, "blk.1.ffn_up.weight");
  tiny = MakeTiny({});
  tiny.matrices["blk.1.ffn_up.weight"].n -= 1;
  refused(tiny, "blk.1.ffn_up.weight");
}

TEST(Config, ActivationRuleOfTheBitnetFamily) {
  const auto activation = [](TinyShape shape, const std::string& forced = "") {
    ModelOptions options = Options();
    options.activation = forced;
    const auto model = Model::FromSource(MakeTiny(shape).Source(), options);
    EXPECT_THAT(model->notes(), testing::Contains(testing::HasSubstr("FFN activation: ")));
    return model->config().activation;
  };
  using enum ops::Activation;
  EXPECT_EQ(activation({.arch = "bitnet-b1.58"}), kSquaredRelu);
  EXPECT_EQ(activation({.arch = "bitnet-25"}), kSquaredRelu);
  EXPECT_EQ(activation({.arch = "bitnet"}), kSilu);
  EXPECT_EQ(activation({.arch = "bitnet-b1.58", .activation = "silu"}), kSilu);
  EXPECT_EQ(activation({.arch = "bitnet", .activation = "relu2"}), kSquaredRelu);
  EXPECT_EQ(activation({.arch = "bitnet-b1.58", .activation = "silu"}, "relu2"), kSquaredRelu);
  EXPECT_EQ(activation({.arch = "llama"}), kSilu);
}

TEST(Session, ReusesPrefixesAndStopsAtTheLimit) {
  const TinyModel tiny = MakeTiny({});
  ModelOptions options = Options();
  options.context = 100;
  const auto model = Model::FromSource(tiny.Source(), options);
  const auto tokens = Tokens(90, 50);
  Session session(*model), fresh(*model);
  session.Feed(tokens);
  auto other = tokens;
  other[70] = (other[70] + 1) % 50;
  EXPECT_EQ(session.Reuse(other), 70);
  const float* a = session.Feed(std::span(other).subspan(70));
  const std::vector<float> got(a, a + 50);
  const float* b = fresh.Feed(other);
  EXPECT_EQ(got, std::vector<float>(b, b + 50));
  EXPECT_EQ(session.Reuse(other), 89);  // the last token is fed again for its logits
  session.Feed(std::span(other).subspan(89));
  EXPECT_EQ(session.room(), 10);
  EXPECT_THROW(session.Feed(Tokens(11, 50)), Error);
  EXPECT_EQ(session.length(), 90);
  EXPECT_THROW(session.Feed(std::vector<int32_t>{50}), Error);
  EXPECT_THROW(session.Feed(std::vector<int32_t>{-1}), Error);
}

TEST(Session, SavedAndLoadedGoesOnWithTheSameBits) {
  const std::string path = testing::TempDir() + "/trit_session_test";
  const TinyModel tiny = MakeTiny({});
  const auto model = Model::FromSource(tiny.Source(), Options());
  Session session(*model);
  session.Feed(Tokens(80, 50));
  session.Save(path);
  Session loaded(*model);
  loaded.Load(path);
  EXPECT_EQ(loaded.tokens(), session.tokens());
  const std::vector<int32_t> next = {7};
  const float* a = session.Feed(next);
  const std::vector<float> wanted(a, a + 50);
  const float* b = loaded.Feed(next);
  EXPECT_EQ(std::vector<float>(b, b + 50), wanted);

  const auto other = Model::FromSource(MakeTiny({.seed = 9}).Source(), Options());
  EXPECT_THROW(Session(*other).Load(path), Error);
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(2000);
    file.put('x');
  }
  EXPECT_THROW(Session(*model).Load(path), Error);
  std::filesystem::resize_file(path, 1000);
  EXPECT_THROW(Session(*model).Load(path), Error);
  std::filesystem::resize_file(path, 10);
  EXPECT_THROW(Session(*model).Load(path), Error);
  std::filesystem::remove(path);
}

TEST(KvCache, SharesPagesAndCopiesBeforeWriting) {
  KvPagePool pool({{ops::KvType::kF16, 16}, 2, 2}, 4);
  KvSequence a(pool);
  a.Reserve(100);
  a.Advance(100);
  EXPECT_EQ(pool.free_pages(), 2);
  std::memset(a.pages()[0].get(), 1, 8);
  KvSequence b(pool, {a.pages()[0]});
  EXPECT_EQ(b.length(), 64);
  b.Truncate(10);
  b.Reserve(1);  // writes into the shared page: a copy
  EXPECT_NE(b.pages()[0], a.pages()[0]);
  EXPECT_EQ(std::memcmp(b.pages()[0].get(), a.pages()[0].get(), 8), 0);
  EXPECT_EQ(pool.free_pages(), 1);
  EXPECT_THROW(b.Reserve(200), Error);  // four pages are all there is
  EXPECT_EQ(b.length(), 10);
  b.Truncate(0);
  EXPECT_EQ(pool.free_pages(), 2);
}

}  // namespace
}  // namespace trit
