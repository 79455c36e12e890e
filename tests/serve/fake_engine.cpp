#include "tests/serve/fake_engine.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>
#include <utility>

#include "targets/base/error.h"

namespace trit::serve {

FakeEngine::FakeEngine(FakeOptions options, VirtualClock* clock)
    : options_(options), clock_(clock), slots_(static_cast<size_t>(options.slots)) {
  facts_.model_id = "fake";
  facts_.architecture = "fake";
  facts_.path = "/models/fake.gguf";
  facts_.chat_template = "fake";
  facts_.target = "none";
  facts_.parameters = 1;
  facts_.file_bytes = 1;
  facts_.vocabulary = kVocabulary;
  facts_.context = options.context;
  facts_.slots = options.slots;
  facts_.threads = 1;
  facts_.stop_tokens = {kEos};
  facts_.kernels = {"everything: a hash"};
}

std::vector<int32_t> FakeEngine::Tokenize(std::string_view text, bool add_bos,
                                          bool parse_special) const {
  std::vector<int32_t> tokens;
  if (add_bos) tokens.push_back(kBos);
  constexpr std::string_view kEnd = "<eos>";
  while (!text.empty()) {
    if (parse_special && text.starts_with(kEnd)) {
      tokens.push_back(kEos);
      text.remove_prefix(kEnd.size());
      continue;
    }
    tokens.push_back(static_cast<unsigned char>(text.front()));
    text.remove_prefix(1);
  }
  return tokens;
}

std::string FakeEngine::TokenBytes(int32_t token, bool render_special) const {
  if (token < 0 || token >= kVocabulary) throw Error(Join("there is no token ", token));
  if (token < 256) return std::string(1, static_cast<char>(token));
  if (!render_special) return "";
  return token == kEos ? "<eos>" : Join("<", token, ">");
}

std::vector<int32_t> FakeEngine::ChatPrompt(std::span<const ChatMessage> messages) const {
  std::vector<int32_t> tokens = {kBos};
  for (const ChatMessage& message : messages) {
    tokens.push_back(message.role == "system" ? kSystem
                     : message.role == "user" ? kUser
                                              : kAssistant);
    for (const char c : message.content) tokens.push_back(static_cast<unsigned char>(c));
  }
  tokens.push_back(kAssistant);
  return tokens;
}

int64_t FakeEngine::OpenCapacity() const {
  int64_t total = 0;
  for (const auto& slot : slots_) total += slot ? slot->capacity : 0;
  return total;
}

std::optional<int> FakeEngine::Open(int slot, std::span<const int32_t> prompt, int capacity) {
  if (slots_.at(static_cast<size_t>(slot))) throw Error("Open on an open slot");
  if (prompt.empty() || static_cast<size_t>(capacity) < prompt.size()) throw Error("bad capacity");
  if (OpenCapacity() + capacity > options_.cache_tokens) return std::nullopt;
  if (on_open) on_open();
  size_t best = 0;
  for (const auto& slot_or : slots_) {
    if (!slot_or) continue;
    const auto [a, b] = std::ranges::mismatch(slot_or->tokens, prompt);
    best = std::max(best, static_cast<size_t>(b - prompt.begin()));
  }
  for (const auto& kept : kept_) {
    const auto [a, b] = std::ranges::mismatch(kept, prompt);
    best = std::max(best, static_cast<size_t>(b - prompt.begin()));
  }
  best = std::min(best, prompt.size() - 1);
  best -= best % static_cast<size_t>(options_.page_tokens);
  Slot fresh;
  fresh.tokens.assign(prompt.begin(), prompt.begin() + static_cast<ptrdiff_t>(best));
  fresh.prompt_size = prompt.size();
  fresh.capacity = capacity;
  slots_[static_cast<size_t>(slot)] = std::move(fresh);
  return static_cast<int>(best);
}

int64_t FakeEngine::StepNs(int rows) const {
  return options_.flat_ns + std::max(0, rows - options_.free_rows) * options_.per_row_ns;
}

int32_t FakeEngine::Echo(const Slot& slot) {
  constexpr std::string_view kEcho = "echo:";
  const auto prompt_end = slot.tokens.begin() + static_cast<ptrdiff_t>(slot.prompt_size);
  auto user = prompt_end;
  while (user != slot.tokens.begin() && *(user - 1) != kUser) --user;
  if (user == slot.tokens.begin() ||
      !std::ranges::equal(
          user, user + std::min<ptrdiff_t>(static_cast<ptrdiff_t>(kEcho.size()), prompt_end - user),
          kEcho.begin(), kEcho.end())) {
    return -1;
  }
  const auto at = user + static_cast<ptrdiff_t>(kEcho.size()) + (slot.tokens.end() - prompt_end);
  return at < prompt_end - 1 ? *at : kEos;  // the prompt's last token asks for the answer
}

void FakeEngine::FillLogits(const Slot& slot, std::span<float> row) const {
  uint64_t hash = 14695981039346656037u;
  for (const int32_t token : slot.tokens) {
    hash = (hash ^ static_cast<uint64_t>(token)) * 1099511628211u;
  }
  for (size_t i = 0; i < row.size(); ++i) {
    const uint64_t mixed = (hash + i * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    row[i] = i < 256 ? static_cast<float>(mixed >> 40) * 0x1p-24f - 4 : -30.0f;
  }
  if (const int32_t echo = Echo(slot); echo >= 0) {
    row[static_cast<size_t>(echo)] = 40;
    return;
  }
  const size_t answered = slot.tokens.size() - slot.prompt_size;
  if (answered >= static_cast<size_t>(options_.answer_tokens)) {
    row[kEos] = 20;
  } else if (answered % 7 == 6) {
    row[' '] = 4;
  } else {
    row['a' + (hash >> 33) % 26] = 2;  // not sure of itself: sampling has something to choose
    row['a' + (hash >> 13) % 26] = 2.5;
  }
}

std::span<float> FakeEngine::Step(std::span<const StepItem> items) {
  if (items.empty()) throw Error("an empty step");
  if (on_step) on_step(items);
  int rows = 0;
  size_t wanted = 0;
  std::set<int> seen;
  for (const StepItem& item : items) {
    auto& slot = slots_.at(static_cast<size_t>(item.slot));
    if (!slot || !seen.insert(item.slot).second || item.tokens.empty()) throw Error("bad item");
    slot->tokens.insert(slot->tokens.end(), item.tokens.begin(), item.tokens.end());
    if (slot->tokens.size() > static_cast<size_t>(slot->capacity)) throw Error("past capacity");
    rows += static_cast<int>(item.tokens.size());
    wanted += item.want_logits;
  }
  rows_computed_ += rows;
  if (step_rows_.size() < 100'000) step_rows_.push_back(rows);
  if (options_.real_time) {
    std::this_thread::sleep_for(std::chrono::nanoseconds(StepNs(rows)));
  } else {
    clock_->Advance(StepNs(rows));
  }
  if (std::exchange(fail_next_, false)) throw Error("the fake engine was told to fail");
  logits_.resize(wanted * kVocabulary);
  size_t row = 0;
  for (const StepItem& item : items) {
    if (!item.want_logits) continue;
    FillLogits(*slots_[static_cast<size_t>(item.slot)],
               std::span(logits_).subspan(kVocabulary * row++, kVocabulary));
  }
  return logits_;
}

void FakeEngine::Close(int slot) {
  auto& open = slots_.at(static_cast<size_t>(slot));
  if (!open) throw Error("Close on a closed slot");
  kept_.push_back(std::move(open->tokens));
  if (kept_.size() > 32) kept_.pop_front();
  open.reset();
}

int FakeEngine::open_slots() const {
  return static_cast<int>(std::ranges::count_if(slots_, [](const auto& slot) { return !!slot; }));
}

CacheUse FakeEngine::Cache() const {
  return {OpenCapacity(), options_.cache_tokens};
}

}  // namespace trit::serve
