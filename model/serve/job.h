// One HTTP request's generation work, shared by its HTTP thread and the scheduler: what is asked
// (never changes), a queue of events back, and a flag that calls it off.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "model/sampling/sampler.h"
#include "model/serve/api_error.h"

namespace trit::serve {

using Prompt = std::shared_ptr<const std::vector<int32_t>>;

// One sequence to generate. Choices with equal prompts share a Prompt; the first of them computes
// it, the others start when it has, from the shared cache.
struct Choice {
  Prompt prompt;
  int max_tokens = 0;  // at least 1; prompt and answer fit the context
  SamplingOptions sampling;
};

struct JobSpec {
  std::string client;  // whom fairness is about
  std::vector<Choice> choices;
  std::vector<std::string> stops;
  int logprobs = -1;  // -1: none; otherwise that many alternatives a token
  bool ignore_eos = false;
};

enum class FinishReason { kStop, kLength };

struct Timings {
  int prompt_tokens = 0;
  int cached_tokens = 0;  // of them, taken from the cache
  int answer_tokens = 0;
  int64_t prompt_ns = 0;  // admission to first token
  int64_t answer_ns = 0;  // first token to last
};

struct Event {
  enum class Kind { kStarted, kText, kFinished, kFailed } kind = Kind::kStarted;
  int choice = 0;
  std::string text;              // kText, kFinished (what was held back)
  std::vector<Logprobs> tokens;  // of the text, when asked for
  FinishReason reason = FinishReason::kStop;
  Timings timings;                // kText (so far), kFinished
  std::optional<ApiError> error;  // kFailed; ends the whole job
};

// Many writers, one reader. fd() is readable while events wait, so a reader can wait for events
// and for its client's socket at once.
class EventQueue {
 public:
  EventQueue();
  ~EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  void Push(Event event);
  std::optional<Event> TryPop();
  int fd() const { return fd_; }

 private:
  std::mutex mutex_;
  std::deque<Event> events_;
  int fd_;
};

struct Job {
  explicit Job(JobSpec what) : spec(std::move(what)) {}

  const JobSpec spec;
  EventQueue events;
  std::atomic<bool> cancelled{false};
};

}  // namespace trit::serve
