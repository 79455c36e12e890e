#include "model/serve/scheduler.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace trit::serve {

struct Scheduler::Waiting {
  std::shared_ptr<Job> job;
  int choice = 0;
  int64_t since_ns = 0;
};

struct Scheduler::Active {
  Active(std::shared_ptr<Job> owner, int index, int at)
      : job(std::move(owner)),
        choice(index),
        slot(at),
        sampler(job->spec.choices[index].sampling),
        text(job->spec.stops) {}

  const Choice& what() const { return job->spec.choices[choice]; }
  bool answering() const { return done == what().prompt->size(); }

  std::shared_ptr<Job> job;
  int choice;
  int slot;
  Sampler sampler;
  TextStream text;
  std::vector<Logprobs> unsent;  // of tokens whose text is still held back
  Timings timings;
  size_t done = 0;    // prompt tokens in the cache
  int32_t last = -1;  // the token to step next, once answering
  int64_t admitted_ns = 0;
  int64_t first_token_ns = 0;
};

Scheduler::Scheduler(Engine* engine, const Clock* clock, SchedulerLimits limits,
                     std::function<void(const std::string&)> report)
    : engine_(engine),
      clock_(clock),
      limits_(limits),
      report_(std::move(report)),
      times_(std::max(limits.max_step_rows, 2 * engine->Facts().slots)),
      slots_(static_cast<size_t>(engine->Facts().slots)) {}

Scheduler::~Scheduler() {
  Stop();
  FailAll(Unavailable("the server stopped", "shutting_down"));
}

void Scheduler::Calibrate() {
  const EngineFacts& facts = engine_->Facts();
  const int room = std::min(times_.max_rows(), facts.context);
  for (int rows = 1; rows <= room; rows *= 2) {
    int64_t last_ns = 0;
    // Twice: the first pass also faults pages in and sizes buffers.
    for (int repeat = 0; repeat < 2; ++repeat) {
      // A first token nobody else had: nothing of it is in the cache.
      std::vector<int32_t> tokens(static_cast<size_t>(rows), 0);
      tokens[0] = (2 * rows + repeat) % facts.vocabulary;
      const auto cached = engine_->Open(0, tokens, rows);
      if (!cached) return;  // less cache than this many rows: what is known suffices
      const StepItem item{0, std::span(tokens).subspan(static_cast<size_t>(*cached)), true};
      const int64_t start = clock_->NowNs();
      engine_->Step({&item, 1});
      last_ns = clock_->NowNs() - start;
      engine_->Close(0);
      if (repeat == 1) times_.Record(static_cast<int>(item.tokens.size()), last_ns);
    }
    if (last_ns > limits_.max_step_ms * kNsPerMs) return;
  }
}

void Scheduler::Submit(std::shared_ptr<Job> job) {
  const JobSpec& spec = job->spec;
  const EngineFacts& facts = engine_->Facts();
  for (const Choice& choice : spec.choices) {
    const auto length = static_cast<int64_t>(choice.prompt->size()) + choice.max_tokens;
    if (choice.prompt->empty() || choice.max_tokens < 1 || length > facts.context) {
      throw BadRequest(
          Join("This model's context is ", facts.context, " tokens; the request has ",
               choice.prompt->size(), " in the prompt and asks for ", choice.max_tokens, "."),
          "messages", "context_length_exceeded");
    }
  }
  const std::lock_guard lock(mutex_);
  if (draining_ || stopping_) {
    ++stats_.refused;
    throw Unavailable("The server is shutting down.", "shutting_down");
  }
  const auto wanted = static_cast<int>(spec.choices.size());
  const int waiting = static_cast<int>(queue_.size()) + followers_held_;
  if (waiting + wanted > limits_.max_waiting ||
      static_cast<int>(queue_.SizeOf(spec.client)) + wanted > limits_.max_waiting_per_client) {
    ++stats_.refused;
    throw ApiError(
        429, "requests", "rate_limit_exceeded",
        Join("Too many requests wait already (", waiting, " of ", limits_.max_waiting, " in all, ",
             limits_.max_waiting_per_client, " for one client). Try again in a few seconds."));
  }
  const int64_t now = clock_->NowNs();
  for (int i = 0; i < wanted; ++i) {
    const bool follows = i > 0 && spec.choices[i].prompt == spec.choices[i - 1].prompt;
    if (follows) {
      ++followers_held_;
    } else {
      queue_.PushBack(spec.client, Waiting{job, i, now});
    }
  }
  poked_ = true;
  wake_.notify_all();
}

void Scheduler::Cancel(const std::shared_ptr<Job>& job) {
  job->cancelled = true;
  const std::lock_guard lock(mutex_);
  poked_ = true;
  wake_.notify_all();
}

// How many choices after `first` share its prompt and wait for it.
static int FollowersOf(const JobSpec& spec, int first) {
  int count = 0;
  const auto size = static_cast<int>(spec.choices.size());
  for (int i = first + 1; i < size && spec.choices[i].prompt == spec.choices[first].prompt; ++i) {
    ++count;
  }
  return count;
}

static bool Leads(const JobSpec& spec, int choice) {
  return choice == 0 || spec.choices[choice].prompt != spec.choices[choice - 1].prompt;
}

void Scheduler::ReleaseFollowers(const Active& active, int64_t now) {
  if (!Leads(active.job->spec, active.choice)) return;
  const int count = FollowersOf(active.job->spec, active.choice);
  const std::lock_guard lock(mutex_);
  followers_held_ -= count;
  for (int i = count; i >= 1; --i) {
    queue_.PushFront(active.job->spec.client, Waiting{active.job, active.choice + i, now});
  }
}

void Scheduler::CloseSlot(int slot, int64_t* counter) {
  Active& active = *slots_[slot];
  {
    const std::lock_guard lock(mutex_);
    --stats_.running;
    if (counter) ++*counter;
    // A leader that goes before its prompt was done never released its followers.
    if (!active.answering() && Leads(active.job->spec, active.choice)) {
      followers_held_ -= FollowersOf(active.job->spec, active.choice);
    }
  }
  engine_->Close(slot);
  slots_[slot].reset();
}

void Scheduler::DropDead(int64_t now) {
  for (auto& slot : slots_) {
    if (!slot) continue;
    if (slot->job->cancelled) {
      CloseSlot(slot->slot, &stats_.cancelled);
    } else if (now - slot->admitted_ns > limits_.max_request_ms * kNsPerMs) {
      Finish(slot.get(), FinishReason::kLength, now);
    }
  }
  std::vector<std::shared_ptr<Job>> late;
  bool draining;
  {
    const std::lock_guard lock(mutex_);
    draining = draining_;
    queue_.RemoveIf([&](const Waiting& waiting) {
      const bool cancelled = waiting.job->cancelled;
      const bool expired = now - waiting.since_ns > limits_.max_wait_ms * kNsPerMs;
      const JobSpec& spec = waiting.job->spec;
      // Followers belong to something already running: they end with it.
      const bool turned_away = draining_ && Leads(spec, waiting.choice);
      if (!cancelled && !expired && !turned_away) return false;
      if (Leads(spec, waiting.choice)) followers_held_ -= FollowersOf(spec, waiting.choice);
      ++(cancelled ? stats_.cancelled : stats_.refused);
      if (!cancelled) late.push_back(waiting.job);
      return true;
    });
  }
  for (const auto& job : late) {
    if (job->cancelled) continue;  // failed through another choice just now
    FailJob(job, draining ? Unavailable("The server is shutting down.", "shutting_down")
                          : Unavailable("The request waited too long for a free slot.",
                                        "queue_timeout"));
  }
}

void Scheduler::Admit(int64_t now) {
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i]) continue;
    Waiting next;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) return;
      next = queue_.Front();
    }
    auto active = std::make_unique<Active>(next.job, next.choice, static_cast<int>(i));
    const Choice& what = active->what();
    const int length = static_cast<int>(what.prompt->size()) + what.max_tokens;
    std::optional<int> cached;
    try {
      cached = engine_->Open(active->slot, *what.prompt, length);
    } catch (const std::exception& error) {
      if (report_) report_(Join("the engine could not open a sequence: ", error.what()));
      FailJob(next.job, ApiError(500, "server_error", "engine_error",
                                 "The model failed to start this request."));
      continue;
    }
    if (!cached) {
      const bool alone = std::none_of(slots_.begin(), slots_.end(),
                                      [](const auto& slot) { return slot != nullptr; });
      if (!alone) return;  // room comes when somebody ends
      FailJob(next.job, BadRequest(Join("The request needs room for ", length,
                                        " tokens; the whole cache holds ",
                                        engine_->Cache().total_tokens, "."),
                                   "max_tokens", "context_length_exceeded"));
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      queue_.PopFront();
      ++stats_.running;  // in the same breath: between queue and slot nobody may see it idle
      stats_.cached_tokens += *cached;
    }
    active->done = static_cast<size_t>(*cached);
    active->admitted_ns = now;
    active->timings.prompt_tokens = static_cast<int>(what.prompt->size());
    active->timings.cached_tokens = *cached;
    for (const int32_t token : *what.prompt) active->sampler.Accept(token, false);
    Event started;
    started.choice = next.choice;
    started.timings = active->timings;
    next.job->events.Push(std::move(started));
    slots_[i] = std::move(active);
  }
}

void Scheduler::CollectItems(std::vector<StepItem>* items, int* decode_rows, int* prompt_rows) {
  *decode_rows = *prompt_rows = 0;
  for (const auto& slot : slots_) {
    if (!slot || !slot->answering()) continue;
    items->push_back({slot->slot, std::span(&slot->last, 1), true});
    ++*decode_rows;
  }
  const int64_t limit =
      *decode_rows > 0 ? static_cast<int64_t>(limits_.stall_factor *
                                              static_cast<double>(times_.Estimate(*decode_rows)))
                       : limits_.max_step_ms * kNsPerMs;
  const bool reading = std::any_of(slots_.begin(), slots_.end(),
                                   [](const auto& slot) { return slot && !slot->answering(); });
  int budget = reading ? times_.PromptBudget(*decode_rows, limit) : 0;
  const size_t count = slots_.size();
  const size_t first = next_prompt_slot_;
  for (size_t i = 0; i < count && budget > 0; ++i) {
    const size_t at = (first + i) % count;
    if (!slots_[at] || slots_[at]->answering()) continue;
    Active& active = *slots_[at];
    const auto rest = std::span(*active.what().prompt).subspan(active.done);
    const auto piece = rest.first(std::min(rest.size(), static_cast<size_t>(budget)));
    items->push_back({active.slot, piece, piece.size() == rest.size()});
    budget -= static_cast<int>(piece.size());
    *prompt_rows += static_cast<int>(piece.size());
    next_prompt_slot_ = (at + 1) % count;  // the next step begins with somebody else
  }
}

void Scheduler::Account(int decode_rows, int prompt_rows, int64_t ns) {
  const int64_t decode_only = decode_rows == 0   ? 0
                              : prompt_rows == 0 ? ns
                                                 : std::min(ns, times_.Estimate(decode_rows));
  times_.Record(decode_rows + prompt_rows, ns);
  const std::lock_guard lock(mutex_);
  ++stats_.steps;
  stats_.prompt_tokens += prompt_rows;
  stats_.answer_ns += decode_only;
  stats_.prompt_ns += ns - decode_only;
  for (const auto& slot : slots_) {
    if (!slot) continue;
    ++stats_.busy_slots;
    const auto length =
        static_cast<int64_t>(slot->done) + static_cast<int64_t>(slot->timings.answer_tokens);
    stats_.longest_sequence = std::max(stats_.longest_sequence, length);
  }
}

bool Scheduler::Step() {
  {
    const std::lock_guard lock(mutex_);
    poked_ = false;
  }
  const int64_t start = clock_->NowNs();
  DropDead(start);
  Admit(start);
  std::vector<StepItem> items;
  int decode_rows = 0;
  int prompt_rows = 0;
  CollectItems(&items, &decode_rows, &prompt_rows);
  {
    const std::lock_guard lock(mutex_);
    stats_.cache = engine_->Cache();
  }
  if (items.empty()) return false;

  const int64_t step_start = clock_->NowNs();
  try {
    const std::span<float> logits = engine_->Step(items);
    const int64_t now = clock_->NowNs();
    Account(decode_rows, prompt_rows, now - step_start);
    const auto width = static_cast<size_t>(engine_->Facts().vocabulary);
    size_t row = 0;
    for (const StepItem& item : items) {
      Active* active = slots_[item.slot].get();
      if (!active->answering()) {
        active->done += item.tokens.size();
        if (active->answering()) {
          active->first_token_ns = now;
          active->timings.prompt_ns = now - active->admitted_ns;
          ReleaseFollowers(*active, now);
        }
      }
      if (!item.want_logits) continue;
      const auto own = logits.subspan(width * row++, width);
      try {
        TakeToken(active, own, now);
      } catch (const std::exception& error) {  // this sequence's fault alone
        if (report_) report_(Join("a sequence failed: ", error.what()));
        const std::shared_ptr<Job> job = active->job;
        CloseSlot(item.slot);
        FailJob(job,
                ApiError(500, "server_error", "engine_error", "The model failed on this request."));
      }
    }
  } catch (const std::exception& error) {
    if (report_) report_(Join("the engine failed in a step: ", error.what()));
    FailAll(ApiError(500, "server_error", "engine_error", "The model failed on this request."));
  }
  return true;
}

void Scheduler::TakeToken(Active* active, std::span<float> logits, int64_t now) {
  const JobSpec& spec = active->job->spec;
  const auto& stops = engine_->Facts().stop_tokens;
  if (spec.ignore_eos) {
    for (const int32_t token : stops) logits[token] = -std::numeric_limits<float>::infinity();
  }
  std::vector<float> untouched;  // bias and penalties write into the logits
  if (spec.logprobs >= 0) untouched.assign(logits.begin(), logits.end());
  const int32_t token = active->sampler.Sample(logits);
  active->sampler.Accept(token, true);
  active->last = token;
  ++active->timings.answer_tokens;
  active->timings.answer_ns = now - active->first_token_ns;
  if (std::find(stops.begin(), stops.end(), token) != stops.end()) {
    Finish(active, FinishReason::kStop, now);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    ++stats_.answer_tokens;
  }
  if (spec.logprobs >= 0) active->unsent.push_back(LogprobsOf(untouched, token, spec.logprobs));
  std::string text = active->text.Push(engine_->TokenBytes(token, false));
  const bool stopped = active->text.stopped();
  const bool full = active->timings.answer_tokens >= active->what().max_tokens;
  // Tokens whose text is held back are told with the text.
  if (!text.empty()) {
    Event event;
    event.kind = Event::Kind::kText;
    event.choice = active->choice;
    event.text = std::move(text);
    event.tokens = std::exchange(active->unsent, {});
    event.timings = active->timings;
    active->job->events.Push(std::move(event));
  }
  if (stopped || full) Finish(active, stopped ? FinishReason::kStop : FinishReason::kLength, now);
}

void Scheduler::Finish(Active* active, FinishReason reason, int64_t now) {
  Event event;
  event.kind = Event::Kind::kFinished;
  event.choice = active->choice;
  event.text = active->text.Finish();
  event.tokens = std::move(active->unsent);
  event.reason = reason;
  event.timings = active->timings;
  if (!active->answering()) event.timings.prompt_ns = now - active->admitted_ns;
  const std::shared_ptr<Job> job = active->job;
  const bool cut_short = !active->answering() && FollowersOf(job->spec, active->choice) > 0;
  CloseSlot(active->slot, &stats_.finished);
  job->events.Push(std::move(event));
  // Followers of a prompt that took longer than a request may: they would take as long.
  if (cut_short) FailJob(job, Unavailable("The request took too long.", "request_timeout"));
}

void Scheduler::FailJob(const std::shared_ptr<Job>& job, const ApiError& error) {
  if (job->cancelled.exchange(true)) return;  // the flag drops its other choices
  {
    const std::lock_guard lock(mutex_);
    ++stats_.failed;
  }
  Event event;
  event.kind = Event::Kind::kFailed;
  event.error = error;
  job->events.Push(std::move(event));
  const std::lock_guard lock(mutex_);
  queue_.RemoveIf([&](const Waiting& waiting) {
    if (waiting.job != job) return false;
    if (Leads(job->spec, waiting.choice)) followers_held_ -= FollowersOf(job->spec, waiting.choice);
    return true;
  });
}

void Scheduler::FailAll(const ApiError& error) {
  for (auto& slot : slots_) {
    if (!slot) continue;
    const std::shared_ptr<Job> job = slot->job;
    CloseSlot(slot->slot);
    FailJob(job, error);
  }
  while (true) {
    std::shared_ptr<Job> job;
    {
      const std::lock_guard lock(mutex_);
      // After an engine failure those that wait may still have luck.
      if (!stopping_ || queue_.empty()) return;
      job = queue_.Front().job;
      if (job->cancelled) {
        queue_.PopFront();
        continue;
      }
    }
    FailJob(job, error);
  }
}

void Scheduler::Run() {
  while (true) {
    const bool worked = Step();
    std::unique_lock lock(mutex_);
    if (stopping_) break;
    if (worked || poked_) continue;
    // Nobody runs: only a waiting request's expiry could need us without a poke.
    wake_.wait_for(lock, std::chrono::milliseconds(200), [&] { return poked_ || stopping_; });
  }
  FailAll(Unavailable("The server is shutting down.", "shutting_down"));
}

void Scheduler::Drain() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
  poked_ = true;
  wake_.notify_all();
}

void Scheduler::Stop() {
  const std::lock_guard lock(mutex_);
  draining_ = stopping_ = true;
  poked_ = true;
  wake_.notify_all();
}

bool Scheduler::Idle() const {
  const std::lock_guard lock(mutex_);
  return queue_.empty() && followers_held_ == 0 && stats_.running == 0;
}

SchedulerStats Scheduler::Stats() const {
  const std::lock_guard lock(mutex_);
  SchedulerStats stats = stats_;
  stats.waiting = static_cast<int>(queue_.size()) + followers_held_;
  return stats;
}

}  // namespace trit::serve
