// The forward pass: tokens in, logits out. One parallel region a call, barriers inside.
//
//   Forward forward(config, weights, kernels, pool, kv_layout, max_tokens);
//   forward.Run(segments, [&](int segment, int64_t token, const float* logits) { ... });
//
// A call takes segments of several sequences, each at most once: one token of a sequence that is
// being decoded, many of one that is being read. All linear layers run once over all tokens.
// A token's result depends on the tokens before it in its sequence and on nothing else: not on the
// other segments, the cutting into calls, nor the number of threads (bit for bit).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "model/arch/config.h"
#include "model/arch/head.h"
#include "model/arch/weights.h"
#include "model/session/kv_cache.h"
#include "runtime/activations.h"
#include "runtime/function_ref.h"
#include "runtime/matmul.h"
#include "runtime/thread_pool.h"

namespace trit {

struct Segment {
  KvSequence* sequence = nullptr;  // tokens go to its end; advanced when Run returns
  std::span<const int32_t> tokens;
  int64_t logits = 0;  // of the last so many tokens
};

// Called on the caller's thread, segment by segment, token by token (index inside the segment).
// `logits` holds the vocabulary's values and may be changed; it is gone after the call.
using LogitsSink = FunctionRef<void(int segment, int64_t token, float* logits)>;

class Forward {
 public:
  // Buffers for max_tokens tokens in one call.
  Forward(const Config& config, const Weights& weights, const KernelSet& kernels, ThreadPool& pool,
          const KvLayout& kv, int max_tokens);
  ~Forward();
  Forward(const Forward&) = delete;
  Forward& operator=(const Forward&) = delete;

  int max_tokens() const { return max_tokens_; }
  const KvLayout& kv_layout() const { return kv_; }
  // Whether the last call's threads each took some sequences through all layers alone.
  bool apart() const { return apart_; }

  // Throws an Error for a token outside the vocabulary, an empty or too large call, or when the KV
  // cache is full; sequences are then as before.
  void Run(std::span<const Segment> segments, LogitsSink sink,
           LogitsForm form = LogitsForm::kExact);

 private:
  struct State;
  struct Row;
  struct AttentionTask;

  void Check(std::span<const Segment> segments) const;
  bool PlanApart(std::span<const Segment> segments);
  void PlanTogether(std::span<const Segment> segments);
  void Plan(State& s, std::span<const Segment> segments) const;
  void PlanAttention(State& s, int segment, int first_row, int64_t position, int64_t count,
                     int64_t* states) const;
  void Body(Team& team, State& s) const;
  void Embed(Team& team, State& s) const;
  void Layer(Team& team, State& s, int layer) const;
  void Attend(Team& team, State& s, int layer) const;
  void RotateAndStore(Team& team, State& s, int layer) const;
  void FeedForward(Team& team, State& s, const LayerWeights& w) const;

  const Config& config_;
  const Weights& weights_;
  const KernelSet& kernels_;
  ThreadPool& pool_;
  const KvLayout kv_;
  const int max_tokens_;
  Head head_;
  bool apart_ = false;
  std::unique_ptr<State> state_;               // of all threads together
  std::vector<std::unique_ptr<State>> alone_;  // of each thread alone; made when first needed
  struct Place {
    const State* state;
    int first_row;
  };
  std::vector<Place> places_;  // of each segment
};

}  // namespace trit
