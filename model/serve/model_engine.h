// The Engine of a real model: Forward over several KvSequences, and a PrefixIndex over their pages.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/chat/chat_template.h"
#include "model/serve/engine.h"
#include "model/serve/prefix_index.h"
#include "model/session/model.h"

namespace trit::serve {

struct ModelEngineOptions {
  int slots = 8;
  std::string model_id;  // empty: the file's name without its ending
};

class ModelEngine : public Engine {
 public:
  // The model is the engine's alone from now on. Its KV pool has a limit (ModelOptions::kv_pages),
  // large enough for one sequence of the whole context.
  ModelEngine(std::unique_ptr<Model> model, const ModelEngineOptions& options);

  const EngineFacts& Facts() const override { return facts_; }
  std::vector<int32_t> Tokenize(std::string_view text, bool add_bos,
                                bool parse_special) const override;
  std::string TokenBytes(int32_t token, bool render_special) const override;
  std::vector<int32_t> ChatPrompt(std::span<const ChatMessage> messages) const override;
  std::optional<int> Open(int slot, std::span<const int32_t> prompt, int capacity) override;
  std::span<float> Step(std::span<const StepItem> items) override;
  void Close(int slot) override;
  CacheUse Cache() const override;

  Model& model() { return *model_; }

 private:
  struct Slot {
    KvSequence sequence;
    std::vector<int32_t> tokens;
    int64_t capacity_pages = 0;
    int64_t indexed_pages = 0;
    int64_t node = PrefixIndex::kRoot;  // of the last indexed page
  };
  // Pages that open slots may still ask for.
  int64_t PromisedPages() const;
  void IndexWholePages(Slot* slot);

  std::unique_ptr<Model> model_;
  EngineFacts facts_;
  const ChatTemplate* chat_ = nullptr;  // null: chat_fault_ says why
  std::string chat_fault_;
  PrefixIndex index_;
  std::vector<std::optional<Slot>> slots_;
  std::vector<float> logits_;
};

}  // namespace trit::serve
