// See forward.h. Between two barriers every thread works on its share: of tokens (norms,
// quantisation), of rows (matrix products), of heads (attention). A matrix product's epilogue turns
// exact sums into floats while they are in cache. Or each thread takes sequences of its own through
// all layers (PlanApart): eight streams of BitNet 2B4T on two Zen 4 cores 182 tokens/s where they
// made 167 together.
#include "model/arch/forward.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/ops/attention.h"
#include "model/ops/dense.h"
#include "model/ops/ops.h"
#include "targets/base/error.h"

namespace trit {
namespace {

// Query rows of one attention task: 64 rows x 128 floats of output stay in L2 beside a KV block.
constexpr int kAttentionRows = 64;

// y[token, n] of a product: what `store` does with the sums of one run of rows and its factor.
template <typename Store>
void ForSums(const MatMulSlice& slice, const RowScales& scales, const Activations& in,
             const Store& store) {
  for (int32_t m = slice.m_begin; m < slice.m_end; ++m) {
    const int32_t* sums = slice.Row(m);
    const float token_scale = in.scale(m);
    scales.ForEach(slice.n_begin, slice.n_end, [&](int32_t begin, int32_t end, float scale) {
      store(m, begin, sums + (begin - slice.n_begin), end - begin, scale * token_scale);
    });
  }
}

// norm -> int8 rows of `in`, tokens shared out. `width` is the norm's full width; a null weight
// means no norm.
void NormInto(Team& team, Activations& in, const float* x, int64_t stride,
              const FloatBuffer& weight, int64_t n, int64_t width, float eps) {
  team.Share(in.m(), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const auto t = static_cast<int32_t>(r);
      in.scale(t) = weight ? ops::NormQuantize(x + r * stride, weight.data(), ops::PadRow(n), width,
                                               eps, in.Row(t))
                           : ops::Quantize(x + r * stride, ops::PadRow(n), in.Row(t));
    }
  });
}

}  // namespace

struct Forward::Row {
  int32_t token;
  int32_t segment;
  int64_t position;
};

struct Forward::AttentionTask {
  int segment;
  int row;  // of the state's buffers, the first token's
  int tokens;
  int head_begin, head_end;  // query heads, all of one KV head
  int64_t chunk;             // of positions, its state goes to `state`; -1: all of them
  int64_t state;             // floats into the state's attention_states
};

// Everything that changes while a call runs. Rows are tokens.
struct Forward::State {
  State(const Config& config, const Weights& weights, const KernelSet& kernels, int threads,
        int max_tokens)
      : threads(threads),
        max_tokens(max_tokens),
        hidden_stride(ops::PadRow(config.hidden)),
        qkv_stride(ops::PadRow(config.q_width() + 2 * config.kv_width())),
        attn_stride(ops::PadRow(config.q_width())),
        ffn_stride(ops::PadRow(config.ffn)),
        half(config.head_dim / 2),
        x(max_tokens * hidden_stride),
        qkv(max_tokens * qkv_stride),
        attn(max_tokens * attn_stride),
        ffn(max_tokens * ffn_stride),
        angles(int64_t{max_tokens} * 4 * half),
        hidden_in(kernels, max_tokens, config.hidden, threads),
        attn_in(kernels, max_tokens, config.q_width(), threads) {
    for (const LayerWeights& layer : weights.layers) {
      auto& in = down_in[layer.neurons];
      if (in == nullptr) {
        in = std::make_unique<Activations>(kernels, max_tokens, layer.neurons, threads);
      }
      if (layer.pair_rows == 0 && !gate_up_sums) {
        gate_up_sums = std::make_unique<Sums>(kernels, max_tokens, 2 * config.ffn);
      }
    }
    frequencies.resize(static_cast<size_t>(half));
    for (int i = 0; i < half; ++i) {
      double f = std::pow(static_cast<double>(config.rope_base), -2.0 * i / config.head_dim);
      if (!config.rope_factors.empty()) f /= config.rope_factors[static_cast<size_t>(i)];
      frequencies[static_cast<size_t>(i)] = f * config.rope_position_scale;
    }
  }

  const int threads, max_tokens;  // of the team that computes it
  const int64_t hidden_stride, qkv_stride, attn_stride, ffn_stride;
  const int half;
  FloatBuffer x;       // the residual stream
  FloatBuffer qkv;     // q | k | v
  FloatBuffer attn;    // attention's output
  FloatBuffer ffn;     // act(gate) * up
  FloatBuffer angles;  // a row: cos, sin for k; cos, sin times 1 / sqrt(head_dim) for q
  Activations hidden_in, attn_in;
  std::map<int32_t, std::unique_ptr<Activations>> down_in;  // by kept neurons
  std::unique_ptr<Sums> gate_up_sums;                       // only where no granule holds a pair
  std::vector<double> frequencies;

  std::vector<Row> rows;
  std::vector<Segment> segments;
  std::vector<std::vector<const void*>> pages;  // of each segment
  std::vector<AttentionTask> tasks, merges;  // merges: one for all chunks of a lone token's heads
  FloatBuffer attention_states;
  int64_t attention_floats = 0;  // of attention_states

  int m() const { return static_cast<int>(rows.size()); }
};

Forward::Forward(const Config& config, const Weights& weights, const KernelSet& kernels,
                 ThreadPool& pool, const KvLayout& kv, int max_tokens)
    : config_(config),
      weights_(weights),
      kernels_(kernels),
      pool_(pool),
      kv_(kv),
      max_tokens_(max_tokens),
      head_(config, weights),
      state_(std::make_unique<State>(config, weights, kernels, pool.threads(), max_tokens)) {}

Forward::~Forward() = default;

void Forward::Check(std::span<const Segment> segments) const {
  size_t total = 0;
  for (const Segment& segment : segments) total += segment.tokens.size();
  if (total == 0 || total > static_cast<size_t>(max_tokens_)) {
    throw Error(Join("a forward pass of ", total, " tokens; this one takes 1 to ", max_tokens_));
  }
  for (const Segment& segment : segments) {
    if (segment.tokens.empty()) throw Error("a forward pass over a segment without tokens");
    for (const int32_t token : segment.tokens) {
      if (token < 0 || token >= config_.vocabulary) {
        throw Error(Join("token ", token, " is outside the vocabulary of ", config_.vocabulary));
      }
    }
  }
}

void Forward::PlanTogether(std::span<const Segment> segments) {
  Plan(*state_, segments);
  places_.clear();
  int row = 0;
  for (const Segment& segment : segments) {
    places_.push_back({state_.get(), row});
    row += static_cast<int>(segment.tokens.size());
  }
}

// Where products are cut by tokens anyhow, a range a thread (lut3w makes its tables of tokens), and
// every sequence has one token, no thread needs what another computes before the head: each takes
// its sequences through all layers alone, without the eleven barriers of a layer. They still read
// the weights from memory once: who is ahead fetches them into the common cache for the others.
bool Forward::PlanApart(std::span<const Segment> segments) {
  const int threads = pool_.threads();
  const auto m = static_cast<int32_t>(segments.size());
  if (threads == 1 || m < threads) return false;
  for (const Segment& segment : segments) {
    if (segment.tokens.size() != 1) return false;
  }
  const LayerWeights& w = weights_.layers.front();
  for (const PackedMatrix* matrix : {&w.qkv, &w.out, &w.gate_up, &w.down}) {
    const int32_t range = matrix->plan().For(m).m_per_task;
    if (range <= 0 || (m + range - 1) / range != threads) return false;
  }
  // Long and short sequences in turn, there and back.
  std::vector<size_t> order(segments.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return segments[a].sequence->length() > segments[b].sequence->length();
  });
  std::vector<std::vector<size_t>> members(static_cast<size_t>(threads));
  std::vector<int64_t> positions(static_cast<size_t>(threads));
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t turn = i % (2 * members.size());
    const size_t thread = turn < members.size() ? turn : 2 * members.size() - 1 - turn;
    members[thread].push_back(order[i]);
    positions[thread] += segments[order[i]].sequence->length();
  }
  // Attention is not shared then: a difference may cost a thirtieth of the weights' reading.
  const auto [least, most] = std::minmax_element(positions.begin(), positions.end());
  const auto position_bytes = static_cast<int64_t>(kv_.block.value_bytes()) * 2 * config_.layers *
                              config_.kv_heads * config_.head_dim;
  if ((*most - *least) * position_bytes > static_cast<int64_t>(weights_.packed_bytes / 32)) {
    return false;
  }
  const auto largest = static_cast<int>(members.front().size());
  if (alone_.empty() || alone_.front()->max_tokens < largest) {
    alone_.clear();
    for (int i = 0; i < threads; ++i) {
      alone_.push_back(std::make_unique<State>(config_, weights_, kernels_, 1, largest));
    }
  }
  places_.assign(segments.size(), {});
  for (size_t i = 0; i < members.size(); ++i) {
    std::vector<Segment> own;
    for (const size_t segment : members[i]) {
      places_[segment] = {alone_[i].get(), static_cast<int>(own.size())};
      own.push_back(segments[segment]);
    }
    Plan(*alone_[i], own);
  }
  return true;
}

void Forward::Plan(State& s, std::span<const Segment> segments) const {
  s.rows.clear();
  s.tasks.clear();
  s.merges.clear();
  s.pages.resize(segments.size());
  s.segments.assign(segments.begin(), segments.end());
  int64_t states = 0;
  for (size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    const auto count = static_cast<int64_t>(segment.tokens.size());
    segment.sequence->Reserve(count);
    s.pages[i].clear();
    for (const auto& page : segment.sequence->pages()) s.pages[i].push_back(page.get());
    const int first_row = s.m();
    const int64_t position = segment.sequence->length();
    for (int64_t t = 0; t < count; ++t) {
      s.rows.push_back(
          {segment.tokens[static_cast<size_t>(t)], static_cast<int32_t>(i), position + t});
    }
    PlanAttention(s, static_cast<int>(i), first_row, position, count, &states);
  }
  if (states > s.attention_floats) {
    s.attention_states = FloatBuffer(states);
    s.attention_floats = states;
  }
}

// Many tokens make many tasks. A lone token's are few and long: its positions are cut into chunks,
// and its heads in pairs while that leaves threads without work.
void Forward::PlanAttention(State& s, int segment, int first_row, int64_t position, int64_t count,
                            int64_t* states) const {
  const int group = config_.group();
  const int64_t chunks = count == 1 ? ops::AttentionChunks(position) : 1;
  const auto segments = static_cast<int64_t>(s.segments.size());
  const bool scarce = segments * config_.kv_heads * chunks < int64_t{4} * s.threads;
  const int heads = count == 1 && s.threads > 1 && scarce ? (group + 1) / 2 : group;
  const int tile = std::max(1, kAttentionRows / heads);
  for (int64_t t = (count - 1) / tile * tile; t >= 0; t -= tile) {  // the longest first
    for (int kv = 0; kv < config_.kv_heads; ++kv) {
      for (int h = 0; h < group; h += heads) {
        AttentionTask task{segment,
                           first_row + static_cast<int>(t),
                           static_cast<int>(std::min<int64_t>(tile, count - t)),
                           kv * group + h,
                           kv * group + std::min(group, h + heads),
                           -1,
                           *states};
        if (chunks == 1) {
          s.tasks.push_back(task);
          continue;
        }
        s.merges.push_back(task);
        const auto floats = static_cast<int64_t>(
            ops::AttentionStateFloats(kv_.block, task.head_end - task.head_begin));
        for (task.chunk = 0; task.chunk < chunks; ++task.chunk, *states += floats) {
          task.state = *states;
          s.tasks.push_back(task);
        }
      }
    }
  }
}

void Forward::Embed(Team& team, State& s) const {
  const float q_scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(config_.head_dim)));
  team.Share(s.m(), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const Row& row = s.rows[static_cast<size_t>(r)];
      float* x = s.x.data() + r * s.hidden_stride;
      if (weights_.embedding == nullptr) {
        ops::UnpackDenseRow(weights_.head, row.token, x);
      } else {
        weights_.embedding->ReadRowsF32(row.token, row.token + 1, x);
      }
      float* cos = s.angles.data() + r * 4 * s.half;
      for (int i = 0; i < s.half; ++i) {
        const double angle =
            static_cast<double>(row.position) * s.frequencies[static_cast<size_t>(i)];
        cos[i] = static_cast<float>(std::cos(angle));
        cos[s.half + i] = static_cast<float>(std::sin(angle));
        cos[2 * s.half + i] = cos[i] * q_scale;
        cos[3 * s.half + i] = cos[s.half + i] * q_scale;
      }
    }
  });
  if (team.index() == 0) {
    s.hidden_in.Reset(s.m());
    s.attn_in.Reset(s.m());
    for (auto& [neurons, in] : s.down_in) in->Reset(s.m());
  }
}

void Forward::RotateAndStore(Team& team, State& s, int layer) const {
  const int head_dim = config_.head_dim, group = config_.group(), m = s.m();
  // Where the cache keeps head i / m of token i % m.
  struct Slot {
    std::byte* block;
    int slot;
  };
  const auto slot_of = [&](int64_t i) -> Slot {
    const Row& row = s.rows[static_cast<size_t>(i % m)];
    const auto& pages = s.segments[static_cast<size_t>(row.segment)].sequence->pages();
    return {pages[static_cast<size_t>(row.position / ops::kKvPositions)].get() +
                kv_.Offset(layer, static_cast<int>(i / m)),
            static_cast<int>(row.position % ops::kKvPositions)};
  };
  // Heads slowest: neighbouring tokens of one thread fill the same KV block.
  team.Share(int64_t{config_.kv_heads} * m, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      if (i + 1 < end) {
        const Slot next = slot_of(i + 1);
        ops::FetchKv(kv_.block, next.block, next.slot);
      }
      const int head = static_cast<int>(i / m), r = static_cast<int>(i % m);
      const float* angles = s.angles.data() + int64_t{r} * 4 * s.half;
      float* qkv = s.qkv.data() + r * s.qkv_stride;
      float* q = qkv + head * group * head_dim;
      float* k = qkv + config_.q_width() + head * head_dim;
      const float* v = k + config_.kv_width();
      ops::Rope(config_.rope_order, q, group, head_dim, angles + 2 * s.half, angles + 3 * s.half);
      ops::Rope(config_.rope_order, k, 1, head_dim, angles, angles + s.half);
      const Slot here = slot_of(i);
      ops::WriteKv(kv_.block, here.block, here.slot, k, v);
    }
  });
}

void Forward::Attend(Team& team, State& s, int layer) const {
  const int head_dim = config_.head_dim;
  const auto call = [&](const AttentionTask& task) {
    const int heads = task.head_end - task.head_begin;
    const uint64_t bytes =
        sizeof(float) * ops::AttentionScratchFloats(kv_.block, task.tokens * heads);
    return ops::AttentionCall{
        .shape = kv_.block,
        .blocks = s.pages[static_cast<size_t>(task.segment)].data(),
        .block_offset = kv_.Offset(layer, task.head_begin / config_.group()),
        .q = s.qkv.data() + task.row * s.qkv_stride + task.head_begin * head_dim,
        .q_stride = s.qkv_stride,
        .tokens = task.tokens,
        .heads = heads,
        .first_position = s.rows[static_cast<size_t>(task.row)].position,
        .out = s.attn.data() + task.row * s.attn_stride + task.head_begin * head_dim,
        .out_stride = s.attn_stride,
        .scratch = reinterpret_cast<float*>(team.Scratch(bytes, 4)),
    };
  };
  team.ShareDynamic(static_cast<int64_t>(s.tasks.size()), [&](int64_t i) {
    const AttentionTask& task = s.tasks[static_cast<size_t>(i)];
    if (task.chunk < 0) {
      ops::Attention(call(task));
    } else {
      ops::AttendChunk(call(task), task.chunk, s.attention_states.data() + task.state);
    }
  });
  if (s.merges.empty()) return;
  team.Barrier();
  team.Share(static_cast<int64_t>(s.merges.size()), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const AttentionTask& task = s.merges[static_cast<size_t>(i)];
      ops::MergeChunks(call(task), s.attention_states.data() + task.state);
    }
  });
}

void Forward::FeedForward(Team& team, State& s, const LayerWeights& w) const {
  const ops::Activation act = config_.activation;
  const auto gate = [&](int32_t m, const int32_t* gate_sums, const int32_t* up_sums, int32_t begin,
                        int32_t end) {
    const float token_scale = s.hidden_in.scale(m);
    float* y = s.ffn.data() + m * s.ffn_stride;
    w.gate_scales.ForEach(begin, end, [&](int32_t gate_begin, int32_t gate_end, float gate_scale) {
      w.up_scales.ForEach(gate_begin, gate_end, [&](int32_t from, int32_t to, float up_scale) {
        ops::GateSums(act, gate_sums + (from - begin), gate_scale * token_scale,
                      up_sums + (from - begin), up_scale * token_scale, to - from, y + from);
      });
    });
  };
  if (w.pair_rows > 0) {
    const int32_t run = w.pair_rows;
    const bool single = w.gate_scales.single() && w.up_scales.single();
    MatMul(team, w.gate_up, s.hidden_in, [&](const MatMulSlice& slice) {
      const int32_t first = slice.n_begin / 2;
      const int32_t last = std::min(slice.n_end / 2, w.neurons);
      for (int32_t m = slice.m_begin; m < slice.m_end; ++m) {
        const int32_t* sums = slice.Row(m);
        if (single) {
          const float token_scale = s.hidden_in.scale(m);
          ops::GatePairs(act, sums, run, w.gate_scales.runs[0].scale * token_scale,
                         w.up_scales.runs[0].scale * token_scale, last - first,
                         s.ffn.data() + m * s.ffn_stride + first);
          continue;
        }
        for (int32_t j = first; j < last; j += run, sums += 2 * run) {
          gate(m, sums, sums + run, j, std::min(last, j + run));
        }
      }
    });
    team.Barrier();
  } else {
    MatMul(team, w.gate_up, s.hidden_in, *s.gate_up_sums);
    team.Barrier();
    team.Share(s.m(), [&](int64_t begin, int64_t end) {
      for (int64_t m = begin; m < end; ++m) {
        const int32_t* sums = s.gate_up_sums->Row(static_cast<int32_t>(m));
        gate(static_cast<int32_t>(m), sums, sums + w.neurons, 0, w.neurons);
      }
    });
    team.Barrier();
  }
  // Beyond the kept neurons the row must be zero up to the padding: another layer may keep more.
  Activations& in = *s.down_in.at(w.neurons);
  if (s.down_in.size() > 1) {
    team.Share(s.m(), [&](int64_t begin, int64_t end) {
      for (int64_t m = begin; m < end; ++m) {
        float* row = s.ffn.data() + m * s.ffn_stride;
        std::fill(row + w.neurons, row + ops::PadRow(w.neurons), 0.0f);
      }
    });
  }
  NormInto(team, in, s.ffn.data(), s.ffn_stride, w.ffn_sub_norm, w.neurons, config_.ffn,
           config_.norm_eps);
  if (team.index() == 0) s.hidden_in.Reset(s.m());  // its last reader is a barrier behind
  team.Barrier();
  MatMul(team, w.down, in, [&](const MatMulSlice& slice) {
    ForSums(slice, w.down_scales, in,
            [&](int32_t m, int32_t n, const int32_t* sums, int32_t count, float scale) {
              ops::AddScaledSums(sums, count, scale, s.x.data() + m * s.hidden_stride + n);
            });
  });
  team.Barrier();
}

void Forward::Layer(Team& team, State& s, int layer) const {
  const LayerWeights& w = weights_.layers[static_cast<size_t>(layer)];
  NormInto(team, s.hidden_in, s.x.data(), s.hidden_stride, w.attn_norm, config_.hidden,
           config_.hidden, config_.norm_eps);
  team.Barrier();
  MatMul(team, w.qkv, s.hidden_in, [&](const MatMulSlice& slice) {
    ForSums(slice, w.qkv_scales, s.hidden_in,
            [&](int32_t m, int32_t n, const int32_t* sums, int32_t count, float scale) {
              ops::ScaleSums(sums, count, scale, s.qkv.data() + m * s.qkv_stride + n);
            });
  });
  team.Barrier();
  RotateAndStore(team, s, layer);
  if (team.index() == 0) {  // nobody reads these between the products
    s.hidden_in.Reset(s.m());
    if (layer > 0) s.attn_in.Reset(s.m());
  }
  team.Barrier();
  Attend(team, s, layer);
  team.Barrier();
  NormInto(team, s.attn_in, s.attn.data(), s.attn_stride, w.attn_sub_norm, config_.q_width(),
           config_.q_width(), config_.norm_eps);
  if (team.index() == 0 && layer > 0) s.down_in.at(w.neurons)->Reset(s.m());
  team.Barrier();
  MatMul(team, w.out, s.attn_in, [&](const MatMulSlice& slice) {
    ForSums(slice, w.out_scales, s.attn_in,
            [&](int32_t m, int32_t n, const int32_t* sums, int32_t count, float scale) {
              ops::AddScaledSums(sums, count, scale, s.x.data() + m * s.hidden_stride + n);
            });
  });
  team.Barrier();
  NormInto(team, s.hidden_in, s.x.data(), s.hidden_stride, w.ffn_norm, config_.hidden,
           config_.hidden, config_.norm_eps);
  team.Barrier();
  FeedForward(team, s, w);
}

void Forward::Body(Team& team, State& s) const {
  Embed(team, s);
  team.Barrier();
  for (int layer = 0; layer < config_.layers; ++layer) Layer(team, s, layer);
}

void Forward::Run(std::span<const Segment> segments, LogitsSink sink, LogitsForm form) {
  Check(segments);
  const bool screened = head_.Screens(form, pool_);
  apart_ = PlanApart(segments);
  if (!apart_) PlanTogether(segments);
  struct Wanted {
    int segment;
    int64_t token;
  };
  std::vector<Wanted> wanted;
  std::vector<const float*> rows;
  for (size_t i = 0; i < segments.size(); ++i) {
    const auto count = static_cast<int64_t>(segments[i].tokens.size());
    const State& s = *places_[i].state;
    for (int64_t t = std::max<int64_t>(0, count - segments[i].logits); t < count; ++t) {
      wanted.push_back({static_cast<int>(i), t});
      rows.push_back(s.x.data() + (places_[i].first_row + t) * s.hidden_stride);
    }
  }
  pool_.Run([&](Team& team) {
    if (apart_) {
      Team alone = team.Alone();
      Body(alone, *alone_[static_cast<size_t>(team.index())]);
      team.Barrier();
    } else {
      Body(team, *state_);
    }
    for (size_t first = 0; first < rows.size(); first += Head::kTokens) {
      const size_t count = std::min<size_t>(Head::kTokens, rows.size() - first);
      head_.Run(team, std::span(rows).subspan(first, count), screened);
      if (team.index() == 0) {
        for (size_t i = 0; i < count; ++i) {
          const Wanted& w = wanted[first + i];
          sink(w.segment, w.token, head_.Logits(static_cast<int64_t>(i)));
        }
      }
      team.Barrier();
    }
  });
  for (const Segment& segment : segments) {
    segment.sequence->Advance(static_cast<int64_t>(segment.tokens.size()));
  }
}

}  // namespace trit
