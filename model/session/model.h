// A model ready to run: files, tokenizer, weights, kernels, threads. And a session: one sequence of
// tokens with its cache.
//
//   auto model = Model::Load("model.gguf", {});
//   Session session(*model);
//   const float* logits = session.Feed(model->tokenizer().Encode("Hello"));
//
// A model has one forward pass, so one thread uses it at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/arch/config.h"
#include "model/arch/forward.h"
#include "model/arch/weights.h"
#include "model/session/kv_cache.h"
#include "model/source/model_source.h"
#include "model/tokenizer/tokenizer.h"
#include "runtime/kernel_set.h"
#include "runtime/thread_pool.h"

namespace trit {

struct ModelOptions {
  OpenOptions open = {};
  int threads = 0;  // 0 = one a core
  ops::KvType kv = ops::KvType::kF16;
  int context = 0;                       // longest sequence; 0 = the model's own limit
  int batch = 256;                       // tokens of one forward pass at most
  int64_t kv_pages = 0;                  // of 64 positions, over all sequences; 0 = no limit
  std::string isa;                       // a target of targets/; "" = this CPU's best
  std::string family;                    // preferred kernel family
  std::vector<std::string> libraries;    // kernel library files
  std::string head;                      // encoding of the head; "" = as in the file
  std::string activation;                // "" = the architecture's rule
  std::string cache_folder = "default";  // of packed weights; "" = none
  bool keep_dead_neurons = false;
  std::function<void(double done, double total, const char* what)> progress = {};
};

class Model {
 public:
  // Throws an Error with a full sentence for anything wrong with the files or the options.
  static std::unique_ptr<Model> Load(const std::string& path, const ModelOptions& options);
  static std::unique_ptr<Model> FromSource(std::unique_ptr<ModelSource> source,
                                           const ModelOptions& options);

  const ModelSource& source() const { return *source_; }
  const Config& config() const { return config_; }
  const Weights& weights() const { return weights_; }
  const KernelSet& kernels() const { return *kernels_; }
  ThreadPool& pool() const { return *pool_; }
  Forward& forward() { return *forward_; }
  KvPagePool& kv_pool() { return *kv_pool_; }
  int context() const { return context_; }
  // Ternary weights and head as real numbers, the embedding too when it is apart.
  int64_t parameters() const { return parameters_; }

  // Throws when the files have no tokenizer; made on first use, then const.
  const Tokenizer& tokenizer() const;
  bool has_tokenizer() const;
  // Ids that end a reply: the file's and the architecture's.
  std::vector<int32_t> StopTokens() const;

  // What was decided while loading, a sentence each.
  const std::vector<std::string>& notes() const { return notes_; }
  // Tensor -> kernel -> candidate, for m tokens.
  std::string Explain() const;
  // One line a product and number of tokens: "ffn_gate_up m=1: lut5_...".
  std::vector<std::string> KernelLines() const;

 private:
  Model() = default;

  std::unique_ptr<ModelSource> source_;
  Config config_;
  std::unique_ptr<KernelSet> kernels_;
  std::unique_ptr<ThreadPool> pool_;
  Weights weights_;
  std::unique_ptr<KvPagePool> kv_pool_;
  std::unique_ptr<Forward> forward_;
  mutable std::unique_ptr<Tokenizer> tokenizer_;
  std::vector<std::string> notes_;
  int context_ = 0;
  int64_t parameters_ = 0;
};

class Session {
 public:
  explicit Session(Model& model);

  int64_t length() const { return sequence_.length(); }
  const std::vector<int32_t>& tokens() const { return tokens_; }
  int64_t room() const { return model_->context() - length(); }

  // Appends tokens; returns the logits after the last one (vocabulary values, the caller's to
  // change until the next call). Throws when the context limit does not allow it. `interrupted` is
  // asked between pieces; when it says true, what was fed so far stays and nullptr is returned.
  float* Feed(std::span<const int32_t> tokens, const std::function<bool()>& interrupted = {});

  // Logits of the last `count` of these tokens, one call of the sink each.
  void FeedAll(std::span<const int32_t> tokens, int64_t count,
               FunctionRef<void(int64_t token, float* logits)> sink);

  // Makes the session hold a beginning of `tokens`, as long as the two have in common, at most all
  // but the last one; returns its length. Feed the rest.
  int64_t Reuse(std::span<const int32_t> tokens);
  void Truncate(int64_t length);

  // A file with the tokens and the cache; versioned and checksummed. Load refuses files of another
  // model or cache type with a sentence.
  void Save(const std::string& path) const;
  void Load(const std::string& path);

 private:
  Model* model_;
  KvSequence sequence_;
  std::vector<int32_t> tokens_;
  std::vector<float> logits_;
};

}  // namespace trit
