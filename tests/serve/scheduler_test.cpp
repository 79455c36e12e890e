#include "model/serve/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "tests/serve/fake_engine.h"

namespace trit::serve {
namespace {

Prompt PromptOf(std::string_view text) {
  std::vector<int32_t> tokens;
  for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
  return std::make_shared<const std::vector<int32_t>>(std::move(tokens));
}

struct Ask {
  std::string prompt = "hello";
  int max_tokens = 20;
  int n = 1;
  float temperature = 0;
  uint64_t seed = 0;
  std::string client = "me";
  std::vector<std::string> stops = {};
  int logprobs = -1;
  bool ignore_eos = false;
};

std::shared_ptr<Job> JobOf(const Ask& ask) {
  JobSpec spec;
  spec.client = ask.client;
  spec.stops = ask.stops;
  spec.logprobs = ask.logprobs;
  spec.ignore_eos = ask.ignore_eos;
  const Prompt prompt = PromptOf(ask.prompt);
  for (int i = 0; i < ask.n; ++i) {
    Choice choice{prompt, ask.max_tokens, {}};
    choice.sampling.temperature = ask.temperature;
    choice.sampling.seed = ask.seed + static_cast<uint64_t>(i);
    spec.choices.push_back(choice);
  }
  return std::make_shared<Job>(std::move(spec));
}

// All a job has told so far.
struct Heard {
  std::map<int, std::string> text;
  std::map<int, FinishReason> finished;
  std::map<int, Timings> timings;
  std::map<int, std::vector<Logprobs>> tokens;
  int started = 0;
  std::optional<ApiError> error;

  void Listen(Job* job) {
    while (auto event = job->events.TryPop()) {
      text[event->choice] += event->text;
      auto& list = tokens[event->choice];
      list.insert(list.end(), event->tokens.begin(), event->tokens.end());
      if (event->kind == Event::Kind::kStarted) ++started;
      if (event->kind == Event::Kind::kFailed) error = event->error;
      if (event->kind == Event::Kind::kFinished) {
        finished[event->choice] = event->reason;
        timings[event->choice] = event->timings;
      }
    }
  }
};

class SchedulerTest : public ::testing::Test {
 protected:
  void Make(FakeOptions options = {}, SchedulerLimits limits = {}) {
    engine_ = std::make_unique<FakeEngine>(options, &clock_);
    scheduler_ = std::make_unique<Scheduler>(engine_.get(), &clock_, limits,
                                             [&](const std::string& text) { report_ += text; });
    scheduler_->Calibrate();
  }
  std::shared_ptr<Job> Submit(const Ask& ask) {
    auto job = JobOf(ask);
    scheduler_->Submit(job);
    return job;
  }
  void RunAll() {
    int steps = 0;
    while (scheduler_->Step()) ASSERT_LT(++steps, 100'000) << "the scheduler never comes to rest";
    EXPECT_EQ(engine_->open_slots(), 0);
    EXPECT_TRUE(scheduler_->Idle());
  }
  static Heard All(const std::shared_ptr<Job>& job) {
    Heard heard;
    heard.Listen(job.get());
    return heard;
  }
  static int StatusOf(const std::function<void()>& what) {
    try {
      what();
    } catch (const ApiError& error) {
      return error.status();
    }
    return 200;
  }

  VirtualClock clock_;
  std::string report_;
  std::unique_ptr<FakeEngine> engine_;
  std::unique_ptr<Scheduler> scheduler_;
};

TEST_F(SchedulerTest, SameTokensAloneAndInABatch) {
  Make({.slots = 8});
  std::vector<std::string> alone;
  for (int i = 0; i < 8; ++i) {
    const auto job = Submit({.prompt = std::string(10 + 40 * i, static_cast<char>('a' + i)),
                             .temperature = i % 2 ? 0.9f : 0.0f,
                             .seed = 7});
    RunAll();
    Heard heard = All(job);
    EXPECT_EQ(heard.timings[0].answer_tokens, 20);
    alone.push_back(heard.text[0]);
  }
  Make({.slots = 8});
  std::vector<std::shared_ptr<Job>> jobs;
  for (int i = 0; i < 8; ++i) {
    jobs.push_back(Submit({.prompt = std::string(10 + 40 * i, static_cast<char>('a' + i)),
                           .temperature = i % 2 ? 0.9f : 0.0f,
                           .seed = 7}));
  }
  RunAll();
  for (int i = 0; i < 8; ++i) EXPECT_EQ(All(jobs[i]).text[0], alone[i]) << i;
}

TEST_F(SchedulerTest, ALongPromptDoesNotStallRunningStreams) {
  for (const int free_rows : {1, 4, 16, 64}) {
    // M rows for the price of one up to free_rows; 4 ms a row past that.
    Make({.slots = 8, .answer_tokens = 5000, .free_rows = free_rows});
    std::vector<std::shared_ptr<Job>> streams;
    for (int i = 0; i < 3; ++i) {
      streams.push_back(Submit({.prompt = Join("stream ", i), .max_tokens = 2000}));
    }
    for (int i = 0; i < 30; ++i) scheduler_->Step();
    const int64_t decode_ns = engine_->StepNs(3);
    for (const auto& stream : streams) All(stream);

    const auto big = Submit({.prompt = std::string(2000, 'x'), .max_tokens = 1, .client = "other"});
    int64_t worst = 0;
    int steps = 0;
    for (bool done = false; !done;) {
      const int64_t before = clock_.NowNs();
      ASSERT_TRUE(scheduler_->Step());
      worst = std::max(worst, clock_.NowNs() - before);
      ++steps;
      for (const auto& stream : streams) {
        EXPECT_EQ(All(stream).text[0].size(), 1u) << "each stream gets its token in each step";
      }
      done = All(big).finished.contains(0);
    }
    EXPECT_LE(worst, 2 * decode_ns) << "free_rows " << free_rows;
    // And the prompt used what it was given: at least 0.5 of a decode step's time a step.
    const int rows_in_time = free_rows + static_cast<int>(decode_ns / 2 / (4 * kNsPerMs)) - 3;
    EXPECT_LE(steps, 2000 / std::max(1, rows_in_time) + 3) << "free_rows " << free_rows;
    for (const auto& stream : streams) scheduler_->Cancel(stream);
    RunAll();
  }
}

TEST_F(SchedulerTest, AloneAPromptGetsBigPieces) {
  Make({.slots = 2});
  const auto job = Submit({.prompt = std::string(1000, 'x'), .max_tokens = 1});
  int steps = 0;
  while (scheduler_->Step()) ++steps;
  // 500 ms a step hold (500 - 50) / 4 + 4 = 116 rows.
  EXPECT_LE(steps, 1000 / 90);
  EXPECT_EQ(All(job).timings[0].prompt_tokens, 1000);
}

TEST_F(SchedulerTest, AShortPromptIsNotStuckBehindALongOne) {
  Make({.slots = 4});
  const auto big = Submit({.prompt = std::string(3000, 'x'), .max_tokens = 1, .client = "a"});
  scheduler_->Step();
  const auto small = Submit({.prompt = "quick", .max_tokens = 1, .client = "b"});
  for (int i = 0; i < 3; ++i) scheduler_->Step();
  EXPECT_TRUE(All(small).finished.contains(0));
  EXPECT_FALSE(All(big).finished.contains(0));
  RunAll();
}

TEST_F(SchedulerTest, ClientsTakeTurns) {
  Make({.slots = 1}, {.max_waiting = 100, .max_waiting_per_client = 100});
  std::vector<std::shared_ptr<Job>> greedy;
  for (int i = 0; i < 30; ++i) {
    greedy.push_back(Submit({.prompt = Join("g", i), .max_tokens = 2, .client = "greedy"}));
  }
  const auto modest = Submit({.prompt = "m", .max_tokens = 2, .client = "modest"});
  int greedy_first = 0;
  while (!All(modest).started) ASSERT_TRUE(scheduler_->Step());
  for (const auto& job : greedy) greedy_first += All(job).started;
  EXPECT_LE(greedy_first, 1);
  RunAll();
}

TEST_F(SchedulerTest, CancellingFreesTheSlotBeforeTheNextStep) {
  Make({.slots = 1});
  const auto first = Submit({.prompt = "first", .max_tokens = 1000});
  const auto second = Submit({.prompt = "second", .max_tokens = 3});
  for (int i = 0; i < 5; ++i) scheduler_->Step();
  EXPECT_FALSE(All(second).started);
  scheduler_->Cancel(first);
  scheduler_->Step();
  EXPECT_TRUE(All(second).started);
  EXPECT_EQ(scheduler_->Stats().cancelled, 1);
  RunAll();
}

TEST_F(SchedulerTest, CancelledWhileWaitingOrInItsPromptLeavesNothing) {
  Make({.slots = 1});
  const auto big = Submit({.prompt = std::string(2000, 'x'), .n = 3});
  const auto waiting = Submit({.prompt = "w", .n = 2});
  scheduler_->Step();
  EXPECT_EQ(scheduler_->Stats().waiting, 4);
  scheduler_->Cancel(waiting);
  scheduler_->Cancel(big);
  RunAll();
  EXPECT_EQ(scheduler_->Stats().waiting, 0);
  const auto after = Submit({.max_tokens = 2});
  RunAll();
  EXPECT_TRUE(All(after).finished.contains(0));
}

TEST_F(SchedulerTest, LimitsAnswerWithTheRightStatus) {
  Make({.slots = 1, .context = 100},
       {.max_waiting = 3, .max_waiting_per_client = 2, .max_wait_ms = 5000});
  EXPECT_EQ(StatusOf([&] { Submit({.prompt = std::string(90, 'x'), .max_tokens = 11}); }), 400);
  EXPECT_EQ(StatusOf([&] { Submit({.prompt = ""}); }), 400);
  const auto running = Submit({.max_tokens = 90, .client = "a", .ignore_eos = true});
  scheduler_->Step();
  const auto late = Submit({.client = "a"});
  Submit({.client = "a"});
  EXPECT_EQ(StatusOf([&] { Submit({.client = "a"}); }), 429) << "two of one client wait";
  Submit({.client = "b"});
  EXPECT_EQ(StatusOf([&] { Submit({.client = "c"}); }), 429) << "three wait";
  clock_.Advance(6000 * kNsPerMs);
  scheduler_->Step();
  const Heard heard = All(late);
  ASSERT_TRUE(heard.error);
  EXPECT_EQ(heard.error->status(), 503);
  EXPECT_EQ(scheduler_->Stats().refused, 5);
  RunAll();
  EXPECT_EQ(All(running).finished[0], FinishReason::kLength);
}

TEST_F(SchedulerTest, ARequestThatTakesTooLongIsCut) {
  Make({.slots = 1, .answer_tokens = 5000}, {.max_request_ms = 1000});
  const auto job = Submit({.max_tokens = 1000});
  RunAll();
  Heard heard = All(job);
  EXPECT_EQ(heard.finished[0], FinishReason::kLength);
  EXPECT_NEAR(heard.timings[0].answer_tokens, 20, 2) << "a second of 50 ms steps";
  const auto never = Submit({.prompt = std::string(3000, 'x'), .n = 2});
  RunAll();
  EXPECT_TRUE(All(never).error) << "its second choice cannot start";
}

TEST_F(SchedulerTest, WhatCannotFitTheCacheIsRefusedAndWhatMustWaitWaits) {
  Make({.slots = 4, .cache_tokens = 100});
  const auto impossible = Submit({.prompt = std::string(90, 'x'), .max_tokens = 20});
  RunAll();
  ASSERT_TRUE(All(impossible).error);
  const auto a = Submit({.prompt = "a", .max_tokens = 60});
  const auto b = Submit({.prompt = "b", .max_tokens = 60});
  scheduler_->Step();
  EXPECT_TRUE(All(a).started);
  EXPECT_FALSE(All(b).started);
  RunAll();
  EXPECT_TRUE(All(b).finished.contains(0));
}

TEST_F(SchedulerTest, ChoicesShareTheirPrompt) {
  Make({.slots = 8});
  const int64_t before = engine_->rows_computed();
  const auto job = Submit(
      {.prompt = std::string(160, 'p'), .max_tokens = 5, .n = 4, .temperature = 1, .seed = 3});
  RunAll();
  Heard heard = All(job);
  EXPECT_EQ(heard.finished.size(), 4u);
  EXPECT_NE(heard.text[0], heard.text[1]) << "each choice has a seed of its own";
  // 160 once, then at most a page (16) and four more tokens for each of four.
  EXPECT_LE(engine_->rows_computed() - before, 160 + 3 * 16 + 4 * 4);
  EXPECT_EQ(heard.timings[3].cached_tokens, 144);

  const auto again =
      Submit({.prompt = std::string(160, 'p'), .max_tokens = 5, .temperature = 1, .seed = 3});
  RunAll();
  Heard second = All(again);
  EXPECT_EQ(second.timings[0].cached_tokens, 144);
  EXPECT_EQ(second.text[0], heard.text[0]) << "the same seed, cached or not";
}

TEST_F(SchedulerTest, EndsAtStopStringsEosAndLength) {
  Make();
  const auto plain = Submit({.max_tokens = 200});
  RunAll();
  Heard heard = All(plain);
  EXPECT_EQ(heard.finished[0], FinishReason::kStop);
  EXPECT_EQ(heard.text[0].size(), 40u);
  EXPECT_EQ(heard.timings[0].answer_tokens, 41) << "the end token counts";
  const std::string stop = heard.text[0].substr(11, 4);
  const auto stopped = Submit({.max_tokens = 200, .stops = {"never this", stop}});
  RunAll();
  Heard cut = All(stopped);
  EXPECT_EQ(cut.finished[0], FinishReason::kStop);
  EXPECT_EQ(cut.text[0], heard.text[0].substr(0, heard.text[0].find(stop)));
  const auto past = Submit({.max_tokens = 50, .ignore_eos = true});
  RunAll();
  EXPECT_EQ(All(past).finished[0], FinishReason::kLength);
}

TEST_F(SchedulerTest, LogprobsComeWithTheirTokens) {
  Make();
  const auto job = Submit({.max_tokens = 12, .stops = {"qqqq"}, .logprobs = 3});
  RunAll();
  Heard heard = All(job);
  ASSERT_EQ(heard.tokens[0].size(), 12u);
  for (const Logprobs& token : heard.tokens[0]) {
    ASSERT_EQ(token.top.size(), 3u);
    EXPECT_EQ(token.top[0].token, token.chosen.token) << "greedy takes the best";
    EXPECT_LE(token.chosen.logprob, 0);
    EXPECT_GE(token.top[0].logprob, token.top[1].logprob);
  }
}

TEST_F(SchedulerTest, AnEngineFailureEndsWhatRunsAndNothingElse) {
  Make({.slots = 2});
  const auto a = Submit({.prompt = "a"});
  const auto b = Submit({.prompt = "b"});
  const auto c = Submit({.prompt = "c"});
  scheduler_->Step();
  engine_->FailNextStep();
  scheduler_->Step();
  EXPECT_EQ(All(a).error->status(), 500);
  EXPECT_EQ(All(b).error->status(), 500);
  EXPECT_THAT(report_, ::testing::HasSubstr("told to fail"));
  RunAll();
  EXPECT_TRUE(All(c).finished.contains(0));
}

TEST_F(SchedulerTest, DrainingFinishesWhatRunsAndRefusesTheRest) {
  Make({.slots = 1});
  const auto running = Submit({.n = 2});
  scheduler_->Step();
  const auto waiting = Submit({});
  scheduler_->Drain();
  EXPECT_EQ(StatusOf([&] { Submit({}); }), 503);
  RunAll();
  EXPECT_EQ(All(running).finished.size(), 2u) << "both choices of what had begun";
  EXPECT_EQ(All(waiting).error->status(), 503);
}

TEST_F(SchedulerTest, StoppingEndsEverythingWithAnAnswer) {
  Make({.slots = 1});
  const auto running = Submit({.n = 2});
  const auto waiting = Submit({});
  scheduler_->Step();
  scheduler_->Stop();
  scheduler_->Run();
  EXPECT_EQ(All(running).error->status(), 503);
  EXPECT_EQ(All(waiting).error->status(), 503);
  EXPECT_EQ(engine_->open_slots(), 0);
}

TEST_F(SchedulerTest, ManyThreadsSubmitAndCancel) {
  Make({.slots = 4, .answer_tokens = 10, .flat_ns = 1, .per_row_ns = 1},
       {.max_waiting = 1000, .max_waiting_per_client = 1000});
  std::thread engine_thread([&] { scheduler_->Run(); });
  std::atomic<int> finished{0}, failed{0}, cancelled{0};
  std::vector<std::thread> users;
  for (int user = 0; user < 8; ++user) {
    users.emplace_back([&, user] {
      for (int i = 0; i < 40; ++i) {
        auto job = JobOf({.prompt = Join(user, " ", i),
                          .max_tokens = 30,
                          .n = 1 + i % 3,
                          .client = Join("c", user)});
        scheduler_->Submit(job);
        if (i % 5 == user % 5) {
          scheduler_->Cancel(job);
          ++cancelled;
          continue;
        }
        Heard heard;
        while (!heard.error && heard.finished.size() < job->spec.choices.size()) {
          heard.Listen(job.get());
          std::this_thread::yield();
        }
        ++(heard.error ? failed : finished);
      }
    });
  }
  for (auto& user : users) user.join();
  while (!scheduler_->Idle()) std::this_thread::yield();
  scheduler_->Stop();
  engine_thread.join();
  EXPECT_EQ(finished, 8 * 32);
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(cancelled, 8 * 8);
  EXPECT_EQ(engine_->open_slots(), 0);
}

}  // namespace
}  // namespace trit::serve
