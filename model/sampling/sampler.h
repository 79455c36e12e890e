// Chooses the next token of one sequence from its logits.
//
// Order: logit_bias is added; tokens seen before are penalised (repeat over the last repeat_last_n
// tokens of prompt and answer; frequency and presence over the answer only, as OpenAI defines
// them); then temperature; then top_k, typical_p, top_p and min_p cut the distribution; then one
// draw. temperature 0 is greedy: the largest logit, the lowest token among equals. typical_p keeps
// the tokens whose surprise is nearest to the entropy, up to that share (Meister et al.).
// mirostat_tau > 0 puts mirostat 2 in place of all cuts: tokens more surprising than mu bits are
// left out, and mu follows the surprise of what was drawn with the rate eta.
//
// The same options, history and logits give the same token on every machine whose exp() rounds
// alike: the generator is our own (splitmix64, 53 bits a draw), no std distribution is used.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace trit {

struct SamplingOptions {
  float temperature = 0.8f;
  int top_k = 0;              // 0: all
  float top_p = 1.0f;         // 1: all
  float min_p = 0.0f;         // 0: all
  float typical_p = 1.0f;     // 1: all
  float mirostat_tau = 0.0f;  // 0: off
  float mirostat_eta = 0.1f;
  float repeat_penalty = 1.0f;
  int repeat_last_n = 64;
  float frequency_penalty = 0.0f;
  float presence_penalty = 0.0f;
  std::vector<std::pair<int32_t, float>> logit_bias = {};
  uint64_t seed = 0;
};

class Sampler {
 public:
  explicit Sampler(SamplingOptions options);

  // Tells of a token that now stands in the sequence; answer = false for those of the prompt.
  void Accept(int32_t token, bool answer);

  // Draws a token. Changes the logits (bias and penalties are written into them). At least one
  // logit, all of them finite or -inf; anything else is an Error, and so is a NaN.
  int32_t Sample(std::span<float> logits);

 private:
  struct Candidate {
    float logit;
    int32_t token;
  };
  static bool BetterCandidate(const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
  }
  void Penalise(std::span<float> logits) const;
  double Weight(float logit, float top) const;
  int32_t DrawById(std::span<const float> logits, float top, float floor);
  void CollectHead(std::span<const float> logits, float top, double* total);
  double Draw();
  void KeepTypical();
  int32_t SampleMirostat();

  SamplingOptions options_;
  uint64_t state_;
  std::vector<int32_t> recent_;  // ring of the last repeat_last_n tokens
  size_t recent_next_ = 0;
  std::unordered_map<int32_t, int> answer_counts_;
  std::vector<Candidate> candidates_;
  std::vector<int32_t> indices_;
  std::vector<double> piece_sums_;
  double mirostat_mu_;
};

struct TokenLogprob {
  int32_t token = 0;
  float logprob = 0;
};

// Natural-log probabilities of the distribution as the model gave it (before bias, penalties and
// temperature): that of `chosen`, and the `top` most probable ones, best first.
struct Logprobs {
  TokenLogprob chosen;
  std::vector<TokenLogprob> top;
};
Logprobs LogprobsOf(std::span<const float> logits, int32_t chosen, int top);

}  // namespace trit
