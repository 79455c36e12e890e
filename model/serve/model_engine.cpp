#include "model/serve/model_engine.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "model/serve/api_error.h"
#include "targets/base/error.h"

namespace trit::serve {
namespace {

constexpr int64_t kPageTokens = 64;  // model/session/kv_cache.h

int64_t PagesFor(int64_t tokens) {
  return (tokens + kPageTokens - 1) / kPageTokens;
}

}  // namespace

ModelEngine::ModelEngine(std::unique_ptr<Model> model, const ModelEngineOptions& options)
    : model_(std::move(model)), index_(kPageTokens), slots_(static_cast<size_t>(options.slots)) {
  const ModelSource& source = model_->source();
  if (model_->kv_pool().max_pages() < PagesFor(model_->context())) {
    throw Error(Join("a KV cache of ", model_->kv_pool().max_pages() * kPageTokens,
                     " tokens does not hold one sequence of the context, ", model_->context()));
  }
  facts_.path = source.path();
  facts_.model_id = options.model_id;
  if (facts_.model_id.empty()) {
    facts_.model_id = std::filesystem::path(source.path()).lexically_normal().stem().string();
  }
  facts_.architecture = source.architecture();
  facts_.parameters = model_->parameters();
  for (const TensorInfo& tensor : source.tensors()) {
    facts_.file_bytes += static_cast<int64_t>(tensor.bytes);
  }
  facts_.vocabulary = model_->config().vocabulary;
  facts_.context = model_->context();
  facts_.slots = options.slots;
  facts_.threads = model_->pool().threads();
  facts_.stop_tokens = model_->StopTokens();
  facts_.kernels = model_->KernelLines();
  const KernelChoice& choice = model_->weights().layers.front().gate_up.plan().For(1);
  facts_.target = choice.library ? choice.library->target().key : "portable";
  // The tokenizer is made now: afterwards several threads read it.
  model_->tokenizer();
  try {
    chat_ = &ChatTemplateOf(*model_, nullptr);
    facts_.chat_template = chat_->name;
    trit::ChatPrompt(model_->tokenizer(), *chat_, {});  // its control tokens are there
  } catch (const Error& error) {
    chat_ = nullptr;
    chat_fault_ = error.what();
  }
}

std::vector<int32_t> ModelEngine::Tokenize(std::string_view text, bool add_bos,
                                           bool parse_special) const {
  return model_->tokenizer().Encode(text, {.add_special = add_bos, .parse_special = parse_special});
}

std::string ModelEngine::TokenBytes(int32_t token, bool render_special) const {
  const Tokenizer& tokenizer = model_->tokenizer();
  // The network's vocabulary may be padded past the tokenizer's.
  if (token >= tokenizer.size() && token < facts_.vocabulary) return "";
  if (!render_special && tokenizer.IsControl(token)) return "";
  return tokenizer.Bytes(token);
}

int64_t ModelEngine::PromisedPages() const {
  int64_t pages = 0;
  for (const auto& slot : slots_) {
    if (slot) pages += slot->capacity_pages - static_cast<int64_t>(slot->sequence.pages().size());
  }
  return pages;
}

std::vector<int32_t> ModelEngine::ChatPrompt(std::span<const ChatMessage> messages) const {
  if (!chat_) {
    throw BadRequest(Join("This model cannot chat: ", chat_fault_, ". /v1/completions works."),
                     "messages", "no_chat_template");
  }
  std::vector<trit::ChatMessage> list;
  for (const ChatMessage& message : messages) list.push_back({message.role, message.content});
  return trit::ChatPrompt(model_->tokenizer(), *chat_, list);
}

std::optional<int> ModelEngine::Open(int slot, std::span<const int32_t> prompt, int capacity) {
  auto& place = slots_.at(static_cast<size_t>(slot));
  if (place) throw Error(Join("slot ", slot, " is open already"));
  // All but the last token may come from the cache: that one must still give logits.
  PrefixIndex::Found found = index_.Find(prompt.first(prompt.size() - 1));
  const auto shared = static_cast<int64_t>(found.pages.size());
  const int64_t needed = PagesFor(capacity) - shared + PromisedPages();
  KvPagePool& pool = model_->kv_pool();
  while (pool.free_pages() < needed) {
    if (!index_.EvictOne()) return std::nullopt;  // found.pages are held here: not among them
  }
  place.emplace(Slot{KvSequence(pool, std::move(found.pages)),
                     std::vector<int32_t>(prompt.begin(), prompt.begin() + shared * kPageTokens),
                     PagesFor(capacity), shared, found.node});
  return static_cast<int>(shared * kPageTokens);
}

void ModelEngine::IndexWholePages(Slot* slot) {
  while (slot->node != PrefixIndex::kGone &&
         (slot->indexed_pages + 1) * kPageTokens <= slot->sequence.length()) {
    const auto tokens = std::span(slot->tokens)
                            .subspan(static_cast<size_t>(slot->indexed_pages * kPageTokens),
                                     static_cast<size_t>(kPageTokens));
    const auto& page = slot->sequence.pages()[static_cast<size_t>(slot->indexed_pages)];
    slot->node = index_.Insert(slot->node, tokens, page);
    ++slot->indexed_pages;
  }
}

std::span<float> ModelEngine::Step(std::span<const StepItem> items) {
  const auto width = static_cast<size_t>(facts_.vocabulary);
  std::vector<Segment> segments;
  std::vector<size_t> rows(items.size());
  size_t wanted = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    Slot& slot = slots_.at(static_cast<size_t>(items[i].slot)).value();
    segments.push_back({&slot.sequence, items[i].tokens, items[i].want_logits ? 1 : 0});
    rows[i] = wanted;
    wanted += items[i].want_logits;
  }
  logits_.resize(wanted * width);
  model_->forward().Run(
      segments,
      [&](int segment, int64_t, float* logits) {
        std::memcpy(logits_.data() + rows[static_cast<size_t>(segment)] * width, logits,
                    width * sizeof(float));
      },
      LogitsForm::kTopExact);
  for (const StepItem& item : items) {
    Slot& slot = *slots_[static_cast<size_t>(item.slot)];
    slot.tokens.insert(slot.tokens.end(), item.tokens.begin(), item.tokens.end());
    IndexWholePages(&slot);
  }
  return logits_;
}

void ModelEngine::Close(int slot) {
  slots_.at(static_cast<size_t>(slot)).reset();
}

CacheUse ModelEngine::Cache() const {
  const KvPagePool& pool = model_->kv_pool();
  return {pool.used_pages() * kPageTokens, pool.max_pages() * kPageTokens};
}

}  // namespace trit::serve
