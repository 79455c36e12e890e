// The server's engine on a real (small, random) model: batches change nothing, pages are shared.
#include "model/serve/model_engine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <map>

#include "model/convert/synth.h"
#include "model/convert/synth_vocabulary.h"
#include "model/serve/scheduler.h"

namespace trit::serve {
namespace {

class ModelEngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = Join(::testing::TempDir(), "trit-serve-", static_cast<int64_t>(getpid()), ".gguf");
    const Preset& preset = FindPreset("tiny");
    SynthOptions options;
    options.head = "q6_k";  // the form whose logits are screened
    SynthModel(preset, SynthVocabulary(512), path_, options);
  }
  void TearDown() override { std::remove(path_.c_str()); }

  std::unique_ptr<ModelEngine> Load(int slots, int64_t cache_tokens = 4096, int threads = 2) {
    ModelOptions options;
    options.threads = threads;
    options.batch = 64;
    options.kv_pages = cache_tokens / 64;
    options.cache_folder = "";
    return std::make_unique<ModelEngine>(Model::Load(path_, options),
                                         ModelEngineOptions{slots, ""});
  }
  static Prompt PromptOf(int seed, int length) {
    std::vector<int32_t> tokens;
    for (int i = 0; i < length; ++i) tokens.push_back((seed * 97 + i * 31 + i * i * 7) % 500);
    return std::make_shared<const std::vector<int32_t>>(std::move(tokens));
  }
  // The greedy answers to these prompts, all given at once.
  static std::vector<std::vector<int32_t>> Answers(ModelEngine* engine,
                                                   const std::vector<Prompt>& prompts) {
    SteadyClock clock;
    SchedulerLimits limits;
    limits.max_step_rows = 64;
    Scheduler scheduler(engine, &clock, limits);
    std::vector<std::shared_ptr<Job>> jobs;
    for (const Prompt& prompt : prompts) {
      JobSpec spec;
      spec.logprobs = 0;
      spec.ignore_eos = true;
      spec.choices.push_back({prompt, 24, {}});
      spec.choices[0].sampling.temperature = 0;
      jobs.push_back(std::make_shared<Job>(std::move(spec)));
      scheduler.Submit(jobs.back());
    }
    while (scheduler.Step()) {
    }
    std::vector<std::vector<int32_t>> answers;
    for (const auto& job : jobs) {
      answers.emplace_back();
      while (auto event = job->events.TryPop()) {
        EXPECT_NE(event->kind, Event::Kind::kFailed);
        for (const Logprobs& token : event->tokens) answers.back().push_back(token.chosen.token);
      }
      EXPECT_EQ(answers.back().size(), 24u);
    }
    return answers;
  }

  std::string path_;
};

TEST_F(ModelEngineTest, TheSameTokensAloneAndInABatchOfEight) {
  std::vector<Prompt> prompts;
  for (int i = 0; i < 8; ++i) prompts.push_back(PromptOf(i, 3 + 23 * i));
  std::vector<std::vector<int32_t>> alone;
  const auto single = Load(1, 256, 1);
  for (const Prompt& prompt : prompts) alone.push_back(Answers(single.get(), {prompt})[0]);
  EXPECT_NE(alone[0], alone[1]);
  const auto batch = Load(8);
  EXPECT_EQ(Answers(batch.get(), prompts), alone);
  EXPECT_EQ(Answers(batch.get(), prompts), alone) << "from cached pages";
}

TEST_F(ModelEngineTest, TheLargestLogitIsTheOneOfTheExactHead) {
  const auto engine = Load(2);
  Session session(engine->model());
  bool screened = false;
  for (int i = 0; i < 30; ++i) {
    const auto prompt = PromptOf(i, 5 + i);
    session.Truncate(0);
    const float* exact = session.Feed(*prompt);
    ASSERT_EQ(engine->Open(0, *prompt, 60), 0);
    const StepItem item{0, *prompt, true};
    const auto got = engine->Step({&item, 1});
    const auto best = std::max_element(exact, exact + got.size()) - exact;
    EXPECT_EQ(std::max_element(got.begin(), got.end()) - got.begin(), best);
    EXPECT_EQ(got[static_cast<size_t>(best)], exact[best]);
    for (size_t n = 0; n < got.size(); ++n) screened |= got[n] != exact[n];
    engine->Close(0);
  }
  EXPECT_TRUE(screened) << "the int8 form was not used: this test shows nothing";
}

TEST_F(ModelEngineTest, LogitsDoNotDependOnTheBatchBitForBit) {
  const auto engine = Load(3);
  const auto prompt = PromptOf(5, 40);
  const auto logits_of = [&](std::vector<int> cuts, bool company) {
    EXPECT_TRUE(engine->Open(0, *prompt, 60).has_value());
    const auto other = PromptOf(9, 50);
    if (company) {
      EXPECT_TRUE(engine->Open(1, *other, 60).has_value());
    }
    std::vector<float> result;
    size_t at = 0;
    for (const int cut : cuts) {
      std::vector<StepItem> items;
      if (company) items.push_back({1, std::span(*other).subspan(at / 2, 3), true});
      items.push_back({0, std::span(*prompt).subspan(at, static_cast<size_t>(cut)), true});
      const auto rows = engine->Step(items);
      const auto own = rows.last(static_cast<size_t>(engine->Facts().vocabulary));
      result.assign(own.begin(), own.end());
      at += static_cast<size_t>(cut);
    }
    engine->Close(0);
    if (company) engine->Close(1);
    return result;
  };
  const auto whole = logits_of({40}, false);
  EXPECT_EQ(logits_of({40}, true), whole);
  EXPECT_EQ(logits_of({7, 1, 32}, true), whole);
  EXPECT_EQ(logits_of({1, 38, 1}, false), whole);
}

TEST_F(ModelEngineTest, PagesAreSharedCountedAndGivenBack) {
  const auto engine = Load(4, 512);
  const auto prompt = PromptOf(1, 150);
  ASSERT_EQ(engine->Open(0, *prompt, 200), 0);
  StepItem item{0, std::span(*prompt).first(64), false};
  engine->Step({&item, 1});
  item.tokens = std::span(*prompt).subspan(64, 64);
  engine->Step({&item, 1});
  EXPECT_EQ(engine->Open(1, *prompt, 200), 128) << "while the first one still runs";
  // 8 pages: 4 for the first, 2 more for the second; the third wants 4.
  EXPECT_FALSE(engine->Open(2, *PromptOf(2, 100), 200).has_value());
  EXPECT_TRUE(engine->Open(2, *PromptOf(2, 100), 128).has_value());
  for (int slot = 0; slot < 3; ++slot) engine->Close(slot);
  EXPECT_EQ(engine->Open(0, *prompt, 200), 128) << "kept after the end";
  engine->Close(0);
  // Somebody who needs everything pushes it out.
  EXPECT_EQ(engine->Open(0, *PromptOf(3, 100), 512), 0);
  engine->Close(0);
  EXPECT_EQ(engine->Open(0, *prompt, 200), 0);
  EXPECT_FALSE(engine->Open(1, *prompt, 10000).has_value());
}

TEST_F(ModelEngineTest, ChatTextNeverBecomesAControlToken) {
  const auto engine = Load(1);
  const int32_t eot = engine->model().tokenizer().FindToken("<|eot_id|>");
  ASSERT_GE(eot, 0);
  const ChatMessage messages[] = {{"user", " hi <|eot_id|> there "}};
  const auto tokens = engine->ChatPrompt(messages);
  EXPECT_EQ(std::count(tokens.begin(), tokens.end(), eot), 1);
  EXPECT_EQ(tokens.front(), engine->model().tokenizer().spec().bos);
  std::string text;
  for (const int32_t token : tokens) text += engine->TokenBytes(token, false);
  EXPECT_EQ(text, "User: hi <|eot_id|> thereAssistant: ");
  EXPECT_EQ(engine->TokenBytes(eot, false), "");
  EXPECT_EQ(engine->TokenBytes(eot, true), "<|eot_id|>");
}

TEST_F(ModelEngineTest, FactsNameTheModelAndWhatRunsIt) {
  const auto engine = Load(3);
  const EngineFacts& facts = engine->Facts();
  EXPECT_EQ(facts.slots, 3);
  EXPECT_EQ(facts.architecture, "bitnet-b1.58");
  EXPECT_FALSE(facts.target.empty());
  ASSERT_FALSE(facts.kernels.empty());
  EXPECT_NE(facts.kernels[0].find("attn_qkv"), std::string::npos);
}

TEST_F(ModelEngineTest, ACacheTooSmallForOneSequenceIsRefused) {
  EXPECT_THROW(Load(1, 128), Error);  // the context is 256
}

}  // namespace
}  // namespace trit::serve
