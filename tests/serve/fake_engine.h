// A deterministic engine for tests: tokens are bytes plus a few control tokens, the "model" is a
// hash of the whole sequence, a step costs virtual (or real) time as a memory-bound machine's
// would. A user message "echo:TEXT" is answered with TEXT. It checks the scheduler's side of the
// Engine contract and throws when that is broken.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/serve/clock.h"
#include "model/serve/engine.h"

namespace trit::serve {

class VirtualClock : public Clock {
 public:
  int64_t NowNs() const override { return now_; }
  void Advance(int64_t ns) { now_ += ns; }

 private:
  std::atomic<int64_t> now_{1};
};

struct FakeOptions {
  int slots = 4;
  int context = 4096;
  int64_t cache_tokens = 1 << 20;
  int page_tokens = 16;
  int answer_tokens = 40;  // end-of-text comes after that many
  // A step of M rows takes flat + max(0, M - free_rows) * per_row.
  int64_t flat_ns = 50 * kNsPerMs;
  int64_t per_row_ns = 4 * kNsPerMs;
  int free_rows = 4;
  bool real_time = false;  // sleep instead of advancing the clock
};

class FakeEngine : public Engine {
 public:
  static constexpr int32_t kBos = 256, kEos = 257, kUser = 258, kAssistant = 259, kSystem = 260;
  static constexpr int kVocabulary = 261;

  FakeEngine(FakeOptions options, VirtualClock* clock);

  const EngineFacts& Facts() const override { return facts_; }
  std::vector<int32_t> Tokenize(std::string_view text, bool add_bos,
                                bool parse_special) const override;
  std::string TokenBytes(int32_t token, bool render_special) const override;
  std::vector<int32_t> ChatPrompt(std::span<const ChatMessage> messages) const override;
  std::optional<int> Open(int slot, std::span<const int32_t> prompt, int capacity) override;
  std::span<float> Step(std::span<const StepItem> items) override;
  void Close(int slot) override;
  CacheUse Cache() const override;

  int64_t StepNs(int rows) const;
  int open_slots() const;
  int64_t rows_computed() const { return rows_computed_; }
  const std::vector<int>& step_rows() const { return step_rows_; }
  void FailNextStep() { fail_next_ = true; }
  // Called in each step before its time passes: tests cancel or submit "meanwhile".
  std::function<void(std::span<const StepItem>)> on_step;
  std::function<void()> on_open;  // a request is being admitted, its stream has not begun

 private:
  struct Slot {
    std::vector<int32_t> tokens;
    size_t prompt_size = 0;
    int64_t capacity = 0;
  };
  // The token an "echo:" message asks for next, -1 when there is no such message.
  static int32_t Echo(const Slot& slot);
  void FillLogits(const Slot& slot, std::span<float> row) const;
  int64_t OpenCapacity() const;

  FakeOptions options_;
  VirtualClock* clock_;
  EngineFacts facts_;
  std::vector<std::optional<Slot>> slots_;
  std::deque<std::vector<int32_t>> kept_;  // oldest first
  std::vector<float> logits_;
  std::vector<int> step_rows_;
  int64_t rows_computed_ = 0;
  bool fail_next_ = false;
};

}  // namespace trit::serve
