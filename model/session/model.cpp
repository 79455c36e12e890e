#include "model/session/model.h"

#include <algorithm>
#include <cstring>

#include "model/ops/ops.h"
#include "runtime/linked/linked.h"
#include "runtime/packed_cache.h"
#include "runtime/tuned/tuned_library.h"
#include "targets/base/error.h"

namespace trit {
namespace {

// Which vector code goes with a forced target: the widest one that its features include.
struct VectorTargetOf {
  const char* prefix;
  const char* vector_target;
};
constexpr VectorTargetOf kVectorTargets[] = {
    {"avx512", "avx512"}, {"avx10", "avx512"},   {"avx", "avx2"},  {"ssse3", "sse4"},
    {"sse", "sse4"},      {"x86_64", "sse4"},    {"neon", "neon"}, {"sve", "neon"},
    {"aarch64", "neon"},  {"portable", "scalar"}};

void LimitVectors(const std::string& isa) {
  for (const auto& entry : kVectorTargets) {
    if (isa.starts_with(entry.prefix)) return ops::LimitVectorTarget(entry.vector_target);
  }
}

}  // namespace

std::unique_ptr<Model> Model::Load(const std::string& path, const ModelOptions& options) {
  return FromSource(OpenModel(path, options.open), options);
}

std::unique_ptr<Model> Model::FromSource(std::unique_ptr<ModelSource> source,
                                         const ModelOptions& options) {
  std::unique_ptr<Model> model(new Model);
  Model& m = *model;
  m.source_ = std::move(source);
  ConfigOverrides overrides;
  if (!options.activation.empty()) overrides.activation = ParseActivation(options.activation);
  m.config_ = ReadConfig(*m.source_, overrides, &m.notes_);
  m.context_ = options.context == 0 ? m.config_.context : options.context;
  if (m.context_ > m.config_.context) {
    m.notes_.push_back(Join("a context of ", m.context_, " is longer than the ", m.config_.context,
                            " the model was made for"));
  }
  if (options.batch < 1 || options.batch > 65536) {
    throw Error(Join("a batch of ", options.batch, " tokens; 1 to 65536 are possible"));
  }
  if (!options.isa.empty()) LimitVectors(options.isa);
  m.kernels_ = std::make_unique<KernelSet>(
      KernelSetOptions{.files = WithTunedLibrary(options.libraries, &m.notes_),
                       .linked = LinkedLibraries(),
                       .target = options.isa,
                       .family = options.family});
  m.pool_ = std::make_unique<ThreadPool>(options.threads);
  WeightOptions weights;
  weights.head_encoding = options.head;
  weights.keep_dead_neurons = options.keep_dead_neurons;
  weights.cache_folder = options.cache_folder == "default"
                             ? PackedCache::DefaultDirectory().string()
                             : options.cache_folder;
  weights.progress = options.progress;
  m.weights_ = LoadWeights(*m.source_, m.config_, *m.kernels_, *m.pool_, weights, &m.notes_);
  const Config& c = m.config_;
  const KvLayout kv{{options.kv, c.head_dim}, c.layers, c.kv_heads};
  m.kv_pool_ = std::make_unique<KvPagePool>(kv, options.kv_pages);
  m.forward_ = std::make_unique<Forward>(c, m.weights_, *m.kernels_, *m.pool_, kv,
                                         std::min(options.batch, m.context_));
  const int64_t attention = int64_t{c.hidden} * (2 * c.q_width() + 2 * c.kv_width());
  m.parameters_ = c.layers * (attention + int64_t{3} * c.hidden * c.ffn) +
                  int64_t{c.vocabulary} * c.hidden * (c.tied ? 1 : 2);
  const auto& found = m.source_->notes();
  m.notes_.insert(m.notes_.end(), found.begin(), found.end());
  return model;
}

const Tokenizer& Model::tokenizer() const {
  if (tokenizer_ == nullptr) {
    tokenizer_ = std::make_unique<Tokenizer>(source_->Tokenizer(), source_->path());
  }
  return *tokenizer_;
}

bool Model::has_tokenizer() const {
  try {
    tokenizer();
    return true;
  } catch (const Error&) {
    return false;
  }
}

std::vector<int32_t> Model::StopTokens() const {
  std::vector<int32_t> stop = tokenizer().spec().stop;
  const auto add = [&](int32_t id) {
    if (id >= 0 && std::find(stop.begin(), stop.end(), id) == stop.end()) stop.push_back(id);
  };
  add(tokenizer().spec().eos);
  add(tokenizer().spec().eot);
  for (const char* text : config_.facts->stop_tokens) add(tokenizer().FindToken(text));
  return stop;
}

std::vector<std::string> Model::KernelLines() const {
  std::vector<std::string> lines;
  const LayerWeights& l = weights_.layers.front();
  const std::pair<const char*, const PackedMatrix*> products[] = {{"attn_qkv", &l.qkv},
                                                                  {"attn_output", &l.out},
                                                                  {"ffn_gate_up", &l.gate_up},
                                                                  {"ffn_down", &l.down}};
  for (const auto& [name, matrix] : products) {
    for (const int m : {1, 8, forward_->max_tokens()}) {
      const KernelChoice& choice = matrix->plan().For(m);
      lines.push_back(Join(name, " ", matrix->n(), " x ", matrix->k(), " m=", m, ": ",
                           choice.kernel->name, " (layout ", matrix->layout().id, ")"));
    }
  }
  return lines;
}

std::string Model::Explain() const {
  std::string text;
  const LayerWeights& l = weights_.layers.front();
  for (const PackedMatrix* matrix : {&l.qkv, &l.out, &l.gate_up, &l.down}) {
    for (const int m : {1, forward_->max_tokens()}) {
      text += kernels_->Explain(matrix->n(), matrix->k(), m, pool_->threads());
      if (!text.ends_with('\n')) text += '\n';
    }
  }
  text += Join("head: ", weights_.head_encoding, " ", config_.vocabulary, " x ", config_.hidden,
               ", vector code ", ops::VectorTarget(), "\n");
  return text;
}

Session::Session(Model& model)
    : model_(&model),
      sequence_(model.kv_pool()),
      logits_(static_cast<size_t>(model.config().vocabulary)) {}

float* Session::Feed(std::span<const int32_t> tokens, const std::function<bool()>& interrupted) {
  if (tokens.empty()) throw Error("nothing to feed: the list of tokens is empty");
  if (static_cast<int64_t>(tokens.size()) > room()) {
    throw Error(Join("the context of ", model_->context(), " tokens is full: ", length(),
                     " are in it and ", tokens.size(), " more were given"));
  }
  const auto batch = static_cast<size_t>(model_->forward().max_tokens());
  for (size_t at = 0; at < tokens.size(); at += batch) {
    if (at > 0 && interrupted && interrupted()) return nullptr;
    const auto piece = tokens.subspan(at, std::min(batch, tokens.size() - at));
    const bool last = at + piece.size() == tokens.size();
    const Segment segment{&sequence_, piece, last ? 1 : 0};
    model_->forward().Run({&segment, 1}, [&](int, int64_t, float* logits) {
      std::memcpy(logits_.data(), logits, logits_.size() * sizeof(float));
    });
    tokens_.insert(tokens_.end(), piece.begin(), piece.end());
  }
  return logits_.data();
}

void Session::FeedAll(std::span<const int32_t> tokens, int64_t count,
                      FunctionRef<void(int64_t token, float* logits)> sink) {
  if (static_cast<int64_t>(tokens.size()) > room()) {
    throw Error(Join("the context of ", model_->context(), " tokens cannot take ", tokens.size(),
                     " more after ", length()));
  }
  const auto batch = static_cast<size_t>(model_->forward().max_tokens());
  const auto total = static_cast<int64_t>(tokens.size());
  for (size_t at = 0; at < tokens.size(); at += batch) {
    const auto piece = tokens.subspan(at, std::min(batch, tokens.size() - at));
    const auto end = static_cast<int64_t>(at + piece.size());
    const int64_t wanted =
        std::clamp<int64_t>(end - (total - count), 0, static_cast<int64_t>(piece.size()));
    const Segment segment{&sequence_, piece, wanted};
    model_->forward().Run({&segment, 1}, [&](int, int64_t token, float* logits) {
      sink(static_cast<int64_t>(at) + token, logits);
    });
    tokens_.insert(tokens_.end(), piece.begin(), piece.end());
  }
}

int64_t Session::Reuse(std::span<const int32_t> tokens) {
  const auto [mine, theirs] =
      std::mismatch(tokens_.begin(), tokens_.end(), tokens.begin(), tokens.end());
  int64_t common = mine - tokens_.begin();
  if (common == static_cast<int64_t>(tokens.size()) && common > 0) --common;
  Truncate(common);
  return common;
}

void Session::Truncate(int64_t length) {
  sequence_.Truncate(length);
  tokens_.resize(static_cast<size_t>(sequence_.length()));
}

}  // namespace trit
