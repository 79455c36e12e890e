// Continuous batching: every step of the engine carries one token of each answering sequence and a
// piece of the waiting prompts.
//
// - Waiting requests are admitted in turn over clients (FairQueue) as slots and cache room allow;
//   who is next but too large for the room now is waited for, not overtaken.
// - While anybody answers, the prompt piece of a step is as large as keeps the step within
//   stall_factor times a decode-only step (StepTimes); while nobody does, within max_step_ms.
//   Prompts under way take turns, so that a short one is not stuck behind a long one.
// - A cancelled, expired or finished sequence leaves its slot before the next step.
//
// Submit, Cancel, Stats, Drain and Stop may be called from any thread. Step is for the one thread
// that owns the engine: Run in the server, the test itself in tests (no clock or thread inside).
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "model/serve/clock.h"
#include "model/serve/engine.h"
#include "model/serve/fair_queue.h"
#include "model/serve/job.h"
#include "model/serve/step_times.h"
#include "model/serve/text_stream.h"

namespace trit::serve {

struct SchedulerLimits {
  int max_waiting = 64;              // sequences; more are answered 429
  int max_waiting_per_client = 32;   // likewise
  int64_t max_wait_ms = 120'000;     // in the queue; then 503
  int64_t max_request_ms = 900'000;  // from admission; then cut with finish reason "length"
  double stall_factor = 1.8;
  int64_t max_step_ms = 500;
  int max_step_rows = 512;
};

struct SchedulerStats {
  int64_t prompt_tokens = 0;  // computed
  int64_t cached_tokens = 0;  // taken from the cache
  int64_t answer_tokens = 0;
  int64_t prompt_ns = 0;  // engine time, split between prompts and answers by rows' share
  int64_t answer_ns = 0;
  int64_t steps = 0;
  int64_t busy_slots = 0;  // summed over steps
  int64_t finished = 0;
  int64_t cancelled = 0;
  int64_t refused = 0;
  int64_t failed = 0;
  int64_t longest_sequence = 0;
  int running = 0;
  int waiting = 0;
  CacheUse cache;
};

class Scheduler {
 public:
  // Both must outlive the scheduler. `report` gets one sentence when the engine fails.
  Scheduler(Engine* engine, const Clock* clock, SchedulerLimits limits,
            std::function<void(const std::string&)> report = {});
  ~Scheduler();

  // Measures steps of 1, 2, 4, … rows on an idle engine, so that the first user's first chunk is
  // already well chosen. Before Run.
  void Calibrate();

  // Takes the job or throws the ApiError that says why not (429 full, 503 shutting down, 400 too
  // long). A job's events end with kFinished for each choice or one kFailed.
  void Submit(std::shared_ptr<Job> job);
  void Cancel(const std::shared_ptr<Job>& job);

  // One round: cancel and expire, admit, one engine step. False: nothing to do.
  bool Step();

  // Steps until Stop; sleeps while there is nothing to do.
  void Run();
  // Refuses new and waiting jobs from now on, lets running ones go on.
  void Drain();
  bool Idle() const;
  // Makes Run return; what still runs fails with 503.
  void Stop();

  SchedulerStats Stats() const;

 private:
  struct Waiting;
  struct Active;

  void Admit(int64_t now);
  void DropDead(int64_t now);
  void CollectItems(std::vector<StepItem>* items, int* decode_rows, int* prompt_rows);
  void Account(int decode_rows, int prompt_rows, int64_t ns);
  void TakeToken(Active* active, std::span<float> logits, int64_t now);
  void ReleaseFollowers(const Active& active, int64_t now);
  void Finish(Active* active, FinishReason reason, int64_t now);
  void FailJob(const std::shared_ptr<Job>& job, const ApiError& error);
  void FailAll(const ApiError& error);
  void CloseSlot(int slot, int64_t* counter = nullptr);  // of stats_, grows by one

  Engine* engine_;
  const Clock* clock_;
  const SchedulerLimits limits_;
  std::function<void(const std::string&)> report_;

  // The engine thread's own.
  StepTimes times_;
  std::vector<std::unique_ptr<Active>> slots_;  // null: free
  size_t next_prompt_slot_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  FairQueue<Waiting> queue_;
  int followers_held_ = 0;  // choices that wait for their leader's prompt; count as waiting
  SchedulerStats stats_;
  bool draining_ = false;
  bool stopping_ = false;
  bool poked_ = false;
};

}  // namespace trit::serve
