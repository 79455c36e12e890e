#include "model/arch/weights.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>
#include <optional>
#include <utility>

#include "model/encoding/encoding.h"
#include "runtime/memory.h"
#include "runtime/packed_cache.h"
#include "targets/base/error.h"

namespace trit {

FloatBuffer::FloatBuffer(int64_t count) {
  auto block = AllocateBlock(sizeof(float) * static_cast<uint64_t>(std::max<int64_t>(count, 1)));
  data_ = {block, reinterpret_cast<float*>(block.get())};
}

namespace {

// Kept neurons come in this step, so that few different widths (and activation buffers) arise.
constexpr int32_t kNeuronStep = 64;

FloatBuffer ReadVector(const ModelSource& source, const std::string& name, int64_t width,
                       const std::vector<int32_t>* order = nullptr) {
  const auto tensor = source.Dense(name);
  if (tensor->rows() * tensor->cols() != width) {
    throw Error(Join(source.path(), ": ", name, " has ", tensor->rows() * tensor->cols(),
                     " values, not ", width));
  }
  std::vector<float> values(static_cast<size_t>(width));
  tensor->ReadRowsF32(0, tensor->rows(), values.data());
  FloatBuffer out(ops::PadRow(width));
  for (int64_t i = 0; i < width; ++i) {
    const auto from = order == nullptr ? i : (*order)[static_cast<size_t>(i)];
    out.data()[i] = values[static_cast<size_t>(from)];
  }
  return out;
}

std::unique_ptr<TernaryTensor> NeedTernary(const ModelSource& source, const std::string& name,
                                           int64_t n, int64_t k) {
  auto tensor = source.Ternary(name);
  if (tensor->n() != n || tensor->k() != k) {
    throw Error(Join(source.path(), ": ", name, " is ", tensor->n(), " x ", tensor->k(), ", not ",
                     n, " x ", k));
  }
  return tensor;
}

// Appends the scale of each of the tensor's rows, in the order asked for, to `runs`.
void AppendScales(const ModelSource& source, const TernaryTensor& tensor,
                  const std::vector<int32_t>* order, int32_t rows, RowScales* out) {
  const TernaryScales scales = tensor.Scales();
  if (!scales.constant_along_k(tensor.k())) {
    throw Error(Join(source.path(), ": ", tensor.name(), " has scales in groups of ",
                     scales.k_group, " along its rows; the forward pass takes one scale a row"));
  }
  int32_t end = out->runs.empty() ? 0 : out->runs.back().end;
  for (int32_t r = 0; r < rows; ++r) {
    const int64_t row = order == nullptr ? r : (*order)[static_cast<size_t>(r)];
    const float scale = scales.values[static_cast<size_t>(row / scales.row_group)];
    ++end;
    if (!out->runs.empty() && out->runs.back().scale == scale) {
      out->runs.back().end = end;
    } else {
      out->runs.push_back({end, scale});
    }
  }
}

// Calls fn(position, first, count) for runs of consecutive values of order[begin, end).
template <typename F>
void ForRuns(const std::vector<int32_t>& order, int32_t begin, int32_t end, const F& fn) {
  while (begin < end) {
    int32_t stop = begin + 1;
    const int32_t first = order[static_cast<size_t>(begin)];
    while (stop < end && order[static_cast<size_t>(stop)] == first + stop - begin) ++stop;
    fn(begin, first, stop - begin);
    begin = stop;
  }
}

// Rows that are zero throughout.
std::vector<uint8_t> ZeroRows(const TernaryTensor& tensor, ThreadPool& pool) {
  std::vector<uint8_t> zero(static_cast<size_t>(tensor.n()));
  constexpr int64_t kRows = 64;
  const auto k = static_cast<size_t>(tensor.k());
  pool.Run([&](Team& team) {
    auto* trits = reinterpret_cast<int8_t*>(team.Scratch(kRows * k, 5));
    team.ShareDynamic((tensor.n() + kRows - 1) / kRows, [&](int64_t piece) {
      const int64_t begin = piece * kRows, end = std::min(tensor.n(), begin + kRows);
      tensor.ReadTrits(begin, end, trits);
      for (int64_t r = begin; r < end; ++r) {
        const int8_t* row = trits + static_cast<size_t>(r - begin) * k;
        zero[static_cast<size_t>(r)] = row[0] == 0 && std::memcmp(row, row + 1, k - 1) == 0;
      }
    });
  });
  return zero;
}

// One matrix after another, from the cache or packed; remembers what a new cache needs.
class Builder {
 public:
  Builder(const ModelSource& source, const Config& config, const KernelSet& kernels,
          ThreadPool& pool, const WeightOptions& options, std::vector<std::string>* notes)
      : source_(source),
        config_(config),
        kernels_(kernels),
        pool_(pool),
        options_(options),
        notes_(notes) {}

  Weights Load();

 private:
  LayerWeights LoadLayer(int layer);
  void FindDeadNeurons();
  std::vector<int32_t> NeuronOrder(int layer, int32_t* kept);
  // Packed or from the cache; `name` says what it is of this model, `variant` what else it depends
  // on besides shape and layout.
  PackedMatrix Matrix(const std::string& name, KernelPlan plan, const RowSource& rows,
                      int variant = 0);
  Hash128 Content(const std::string& name, int variant) const;
  // A cache that cannot be written (full disk) is told once and tried no more.
  void CacheTrouble(const std::string& reason) {
    if (reason.empty()) return;
    notes_->push_back(Join("packed weights are not kept for the next start: ", reason));
    cache_.reset();
  }
  KernelPlan Plan(int32_t n, int32_t k) const { return kernels_.Plan(n, k, pool_.threads()); }
  void LoadHead(Weights* weights);
  void Progress(double done, const char* what) {
    if (options_.progress) options_.progress(done, config_.layers + 2.0, what);
  }

  const ModelSource& source_;
  const Config& config_;
  const KernelSet& kernels_;
  ThreadPool& pool_;
  const WeightOptions& options_;
  std::vector<std::string>* notes_;
  Arena arena_;
  std::optional<PackedCache> cache_;
  std::vector<uint8_t> dead_neuron_;  // [layer][neuron]
  bool all_from_cache_ = true;
  int64_t dead_ = 0;
};

// The files' identity stands for their content. Shape and layout are part of the cache's own names,
// so a better kernel set packs anew.
Hash128 Builder::Content(const std::string& name, int variant) const {
  const std::string text =
      Join(source_.Stamp(), "|", config_.facts->name, "|", name, "|",
           options_.keep_dead_neurons ? "all neurons" : "live neurons", "|", variant);
  return HashBytes(text.data(), text.size());
}

PackedMatrix Builder::Matrix(const std::string& name, KernelPlan plan, const RowSource& rows,
                             int variant) {
  bool hit = false;
  std::string trouble;
  PackedMatrix matrix = PackThroughCache(cache_ ? &*cache_ : nullptr, Content(name, variant),
                                         std::move(plan), rows, pool_, &arena_, {}, &hit, &trouble);
  all_from_cache_ = all_from_cache_ && hit;
  CacheTrouble(trouble);
  return matrix;
}

// Reading all gate and up rows takes longer than the rest of a start from the cache, hence kept
// too.
void Builder::FindDeadNeurons() {
  constexpr const char* kKind = "dead-neurons.v1";
  const auto ffn = static_cast<size_t>(config_.ffn);
  dead_neuron_.resize(ffn * static_cast<size_t>(config_.layers));
  const Hash128 content = Content("dead neurons", 0);
  if (cache_ &&
      cache_->LoadBytes(content, kKind, dead_neuron_.data(), dead_neuron_.size(), pool_)) {
    return;
  }
  all_from_cache_ = false;
  for (int layer = 0; layer < config_.layers; ++layer) {
    uint8_t* dead = dead_neuron_.data() + static_cast<size_t>(layer) * ffn;
    std::fill(dead, dead + ffn, uint8_t{0});
    for (const char* part : {"ffn_gate", "ffn_up"}) {
      const auto tensor = NeedTernary(source_, Join("blk.", layer, ".", part, ".weight"),
                                      config_.ffn, config_.hidden);
      const std::vector<uint8_t> zero = ZeroRows(*tensor, pool_);
      for (size_t j = 0; j < ffn; ++j) dead[j] |= zero[j];
      tensor->DropPages(0, tensor->n());
    }
  }
  if (cache_) {
    CacheTrouble(cache_->StoreBytes(content, kKind, dead_neuron_.data(), dead_neuron_.size()));
  }
}

std::vector<int32_t> Builder::NeuronOrder(int layer, int32_t* kept) {
  const auto ffn = static_cast<size_t>(config_.ffn);
  const uint8_t* dead = dead_neuron_.data() + static_cast<size_t>(layer) * ffn;
  std::vector<int32_t> order(ffn);
  std::iota(order.begin(), order.end(), 0);
  const auto end =
      std::stable_partition(order.begin(), order.end(), [&](int32_t j) { return dead[j] == 0; });
  const auto live = static_cast<int32_t>(end - order.begin());
  dead_ += config_.ffn - live;
  *kept = config_.ffn;
  if (!options_.keep_dead_neurons) {
    *kept =
        std::min(config_.ffn, (std::max(live, 1) + kNeuronStep - 1) / kNeuronStep * kNeuronStep);
  }
  return order;
}

LayerWeights Builder::LoadLayer(int layer) {
  const std::string block = Join("blk.", layer, ".");
  const int32_t hidden = config_.hidden, q_rows = config_.q_width(), kv_rows = config_.kv_width();
  LayerWeights out;
  const auto tensor = [&](const char* name, int64_t n, int64_t k) {
    return NeedTernary(source_, block + name + ".weight", n, k);
  };
  const auto q = tensor("attn_q", q_rows, hidden), k = tensor("attn_k", kv_rows, hidden),
             v = tensor("attn_v", kv_rows, hidden);
  const std::pair<const TernaryTensor*, int32_t> parts[] = {
      {q.get(), q_rows}, {k.get(), kv_rows}, {v.get(), kv_rows}};
  for (const auto& [part, rows] : parts) {
    AppendScales(source_, *part, nullptr, rows, &out.qkv_scales);
  }
  out.qkv = Matrix(block + "qkv", Plan(q_rows + 2 * kv_rows, hidden),
                   [&](int32_t begin, int32_t end, int8_t* trits) {
                     int32_t base = 0;
                     for (const auto& [part, rows] : parts) {
                       const int32_t from = std::max(begin, base);
                       const int32_t to = std::min(end, base + rows);
                       if (from < to) {
                         part->ReadTrits(from - base, to - base,
                                         trits + static_cast<ptrdiff_t>(from - begin) * hidden);
                       }
                       base += rows;
                     }
                   });
  const auto o = tensor("attn_output", hidden, q_rows);
  AppendScales(source_, *o, nullptr, hidden, &out.out_scales);
  out.out =
      Matrix(block + "out", Plan(hidden, q_rows),
             [&](int32_t begin, int32_t end, int8_t* trits) { o->ReadTrits(begin, end, trits); });

  const std::vector<int32_t> order = NeuronOrder(layer, &out.neurons);
  const auto gate = tensor("ffn_gate", config_.ffn, hidden),
             up = tensor("ffn_up", config_.ffn, hidden);
  AppendScales(source_, *gate, &order, out.neurons, &out.gate_scales);
  AppendScales(source_, *up, &order, out.neurons, &out.up_scales);
  const trit_layout& layout = kernels_.ChooseLayout(2 * out.neurons, hidden, pool_.threads());
  out.pair_rows = layout.n_granule % 2 == 0 ? layout.n_granule / 2 : 0;
  const int32_t run = out.pair_rows == 0 ? out.neurons : out.pair_rows;
  const int32_t runs = (out.neurons + run - 1) / run;
  out.gate_up = Matrix(
      block + "gate_up", kernels_.Plan(layout, 2 * run * runs, hidden, pool_.threads()),
      [&](int32_t begin, int32_t end, int8_t* trits) {
        for (int32_t row = begin; row < end;) {
          const int32_t pair = row / (2 * run), within = row % (2 * run);
          const bool is_up = within >= run;
          const int32_t stop = std::min(end, (row / run + 1) * run);
          int8_t* at = trits + static_cast<ptrdiff_t>(row - begin) * hidden;
          const int32_t first = pair * run + within % run;
          const int32_t last = std::min(first + stop - row, out.neurons);
          ForRuns(order, std::min(first, last), last,
                  [&](int32_t position, int32_t from, int32_t n) {
                    (is_up ? up : gate)
                        ->ReadTrits(from, from + n,
                                    at + static_cast<ptrdiff_t>(position - first) * hidden);
                  });
          const int32_t filled = std::max(0, last - first);
          std::memset(at + static_cast<ptrdiff_t>(filled) * hidden, 0,
                      static_cast<size_t>(stop - row - filled) * static_cast<size_t>(hidden));
          row = stop;
        }
      },
      run);

  const auto down = tensor("ffn_down", hidden, config_.ffn);
  AppendScales(source_, *down, nullptr, hidden, &out.down_scales);
  out.down = Matrix(
      block + "down", Plan(hidden, out.neurons), [&](int32_t begin, int32_t end, int8_t* trits) {
        if (out.neurons == config_.ffn && std::is_sorted(order.begin(), order.end())) {
          down->ReadTrits(begin, end, trits);
          return;
        }
        std::vector<int8_t> row(static_cast<size_t>(config_.ffn));
        for (int32_t r = begin; r < end; ++r) {
          down->ReadTrits(r, r + 1, row.data());
          int8_t* at = trits + static_cast<ptrdiff_t>(r - begin) * out.neurons;
          ForRuns(order, 0, out.neurons, [&](int32_t position, int32_t from, int32_t n) {
            std::memcpy(at + position, row.data() + from, static_cast<size_t>(n));
          });
        }
      });

  // What was packed need not stay in memory as file pages too.
  for (const TernaryTensor* part :
       {q.get(), k.get(), v.get(), o.get(), gate.get(), up.get(), down.get()}) {
    part->DropPages(0, part->n());
  }
  out.attn_norm = ReadVector(source_, block + "attn_norm.weight", hidden);
  out.ffn_norm = ReadVector(source_, block + "ffn_norm.weight", hidden);
  if (config_.facts->sub_norms) {
    out.attn_sub_norm = ReadVector(source_, block + "attn_sub_norm.weight", q_rows);
    out.ffn_sub_norm = ReadVector(source_, block + "ffn_sub_norm.weight", config_.ffn, &order);
  }
  return out;
}

void Builder::LoadHead(Weights* weights) {
  const std::string name = config_.tied ? "token_embd.weight" : "output.weight";
  const auto tensor = source_.Dense(name);
  const int64_t n = config_.vocabulary, k = config_.hidden;
  if (tensor->rows() != n || tensor->cols() != k) {
    throw Error(Join(source_.path(), ": ", name, " is ", tensor->rows(), " x ", tensor->cols(),
                     ", not ", n, " x ", k));
  }
  DenseType type = tensor->type();
  const DenseEncoding* encoding = nullptr;  // set when rows are converted
  if (!options_.head_encoding.empty() && options_.head_encoding != tensor->encoding()) {
    encoding = FindDenseEncoding(options_.head_encoding);
    if (encoding == nullptr || encoding->write == nullptr) {
      throw Error(Join("unknown head encoding '", options_.head_encoding, "'; known are ",
                       DenseEncodingNames(true)));
    }
    type = encoding->type;
  } else if (!ops::DenseTypeHasKernel(type, k)) {
    encoding = FindDenseEncoding("f32");
    type = DenseType::kF32;
    notes_->push_back(
        Join("the head is ", tensor->encoding(), ", which has no kernel: kept as f32"));
  }
  if (!ops::DenseTypeHasKernel(type, k)) {
    throw Error(Join("a head of ", k, " columns cannot be ", options_.head_encoding));
  }
  weights->head_bytes = ops::DenseBytes(type, n, k);
  weights->head_memory = AllocateBlock(weights->head_bytes);
  weights->head = {type, n, k, reinterpret_cast<const uint8_t*>(weights->head_memory.get())};
  weights->head_encoding = encoding != nullptr ? encoding->name : tensor->encoding();
  auto* packed = reinterpret_cast<uint8_t*>(weights->head_memory.get());
  const std::span<const uint8_t> bytes = tensor->bytes();
  constexpr int64_t kRows = 256;  // a multiple of the row granule
  pool_.Run([&](Team& team) {
    std::vector<float> floats;
    std::vector<uint8_t> encoded;
    team.ShareDynamic((n + kRows - 1) / kRows, [&](int64_t piece) {
      const int64_t begin = piece * kRows, end = std::min(n, begin + kRows);
      const uint8_t* rows = bytes.data() + begin * tensor->row_bytes();
      if (encoding != nullptr) {
        floats.resize(static_cast<size_t>((end - begin) * k));
        encoded.resize(
            static_cast<size_t>((end - begin) * k / encoding->block * encoding->block_bytes));
        tensor->ReadRowsF32(begin, end, floats.data());
        encoding->write(floats.data(), floats.size(), encoded.data());
        ops::PackDenseRows(type, n, k, begin, end, encoded.data(), packed);
      } else {
        ops::PackDenseRows(type, n, k, begin, end, rows, packed);
      }
      tensor->DropPages(begin, end);
    });
  });
  if (!config_.tied) {
    weights->embedding = source_.Dense("token_embd.weight");
    if (weights->embedding->cols() != k) {
      throw Error(Join(source_.path(), ": token_embd.weight has ", weights->embedding->cols(),
                       " columns, not ", k));
    }
  }
}

Weights Builder::Load() {
  const auto start = std::chrono::steady_clock::now();
  Weights weights;
  if (!options_.cache_folder.empty()) cache_.emplace(options_.cache_folder);
  Progress(0, "preparing weights");
  FindDeadNeurons();
  for (int layer = 0; layer < config_.layers; ++layer) {
    Progress(layer, "preparing weights");
    weights.layers.push_back(LoadLayer(layer));
    const LayerWeights& l = weights.layers.back();
    weights.packed_bytes += l.qkv.bytes() + l.out.bytes() + l.gate_up.bytes() + l.down.bytes();
  }
  Progress(config_.layers, "preparing the head");
  weights.output_norm = ReadVector(source_, "output_norm.weight", config_.hidden);
  LoadHead(&weights);
  weights.dead_neurons = dead_;
  if (dead_ > 0) {
    notes_->push_back(Join("dead FFN neurons: ", dead_, " of ",
                           static_cast<int64_t>(config_.ffn) * config_.layers,
                           options_.keep_dead_neurons ? " (kept)" : " (dropped)"));
  }
  weights.from_cache = all_from_cache_;
  Progress(config_.layers + 2, "ready");
  weights.load_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return weights;
}

}  // namespace

Weights LoadWeights(const ModelSource& source, const Config& config, const KernelSet& kernels,
                    ThreadPool& pool, const WeightOptions& options,
                    std::vector<std::string>* notes) {
  return Builder(source, config, kernels, pool, options, notes).Load();
}

}  // namespace trit
