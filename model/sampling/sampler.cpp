#include "model/sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "model/ops/ops.h"
#include "model/ops/vocabulary.h"
#include "targets/base/error.h"

namespace trit {
namespace {

// exp(-34) is 2e-15: 128k tokens below it weigh 2e-10 together, less than one draw resolves
// against the head of the distribution; leaving them out keeps the sort to a few thousand tokens.
constexpr float kNegligible = 34.0f;

// The index of the largest logit, the lowest among equals.
size_t CheckedLargest(std::span<const float> logits) {
  if (logits.empty()) throw Error("sampling needs at least one logit, got none");
  const auto n = static_cast<int64_t>(logits.size());
  if (ops::HasNanOrInfinity(logits.data(), n)) {
    throw Error("sampling got a logit that is NaN or +inf: the model's output is broken");
  }
  const auto best = static_cast<size_t>(ops::ArgMax(logits.data(), n));
  if (logits[best] == -std::numeric_limits<float>::infinity()) {
    throw Error("sampling got only -inf: logit_bias leaves no token to choose");
  }
  return best;
}

bool Better(float a_logit, int32_t a, float b_logit, int32_t b) {
  return a_logit > b_logit || (a_logit == b_logit && a < b);
}

}  // namespace

Sampler::Sampler(SamplingOptions options)
    : options_(std::move(options)),
      state_(options_.seed),
      mirostat_mu_(2.0 * options_.mirostat_tau) {}

// Candidates are sorted, best first, and stay so.
void Sampler::KeepTypical() {
  std::vector<double> p;
  double total = 0, entropy = 0;
  for (const Candidate& c : candidates_) {
    p.push_back(
        std::exp(static_cast<double>(c.logit - candidates_[0].logit) / options_.temperature));
    total += p.back();
  }
  for (double& value : p) {
    value /= total;
    if (value > 0) entropy -= value * std::log(value);
  }
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto distance = [&](size_t i) { return std::fabs(-std::log(p[i]) - entropy); };
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return distance(a) < distance(b); });
  double kept = 0;
  size_t count = 0;
  while (count < order.size() && kept < options_.typical_p) kept += p[order[count++]];
  order.resize(std::max<size_t>(count, 1));
  std::sort(order.begin(), order.end());
  std::vector<Candidate> typical;
  for (const size_t i : order) typical.push_back(candidates_[i]);
  candidates_ = std::move(typical);
}

int32_t Sampler::SampleMirostat() {
  std::vector<double> p;
  double total = 0;
  for (const Candidate& c : candidates_) {
    p.push_back(
        std::exp(static_cast<double>(c.logit - candidates_[0].logit) / options_.temperature));
    total += p.back();
  }
  size_t count = 0;
  double kept = 0;
  while (count < p.size() && (count == 0 || -std::log2(p[count] / total) <= mirostat_mu_)) {
    kept += p[count++];
  }
  double left = Draw() * kept;
  size_t chosen = count - 1;
  for (size_t i = 0; i < count; ++i) {
    left -= p[i];
    if (left < 0) {
      chosen = i;
      break;
    }
  }
  mirostat_mu_ -= options_.mirostat_eta * (-std::log2(p[chosen] / kept) - options_.mirostat_tau);
  return candidates_[chosen].token;
}

void Sampler::Accept(int32_t token, bool answer) {
  if (answer) ++answer_counts_[token];
  if (options_.repeat_last_n <= 0) return;
  if (recent_.size() < static_cast<size_t>(options_.repeat_last_n)) {
    recent_.push_back(token);
    return;
  }
  recent_[recent_next_] = token;
  recent_next_ = (recent_next_ + 1) % recent_.size();
}

void Sampler::Penalise(std::span<float> logits) const {
  const auto inside = [&](int32_t token) {
    return token >= 0 && static_cast<size_t>(token) < logits.size();
  };
  for (const auto& [token, bias] : options_.logit_bias) {
    if (inside(token)) logits[token] += bias;
  }
  if (options_.repeat_penalty != 1.0f) {
    std::vector<int32_t> seen = recent_;
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    for (const int32_t token : seen) {
      if (!inside(token)) continue;
      float& logit = logits[token];
      logit = logit > 0 ? logit / options_.repeat_penalty : logit * options_.repeat_penalty;
    }
  }
  if (options_.frequency_penalty != 0.0f || options_.presence_penalty != 0.0f) {
    for (const auto& [token, count] : answer_counts_) {
      if (!inside(token)) continue;
      logits[token] -=
          options_.frequency_penalty * static_cast<float>(count) + options_.presence_penalty;
    }
  }
}

double Sampler::Draw() {
  state_ += 0x9e3779b97f4a7c15u;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-53;
}

// No cut needs an order: walks the tokens by id, over piece sums first.
int32_t Sampler::DrawById(std::span<const float> logits, float top, float floor) {
  const auto n = static_cast<int64_t>(logits.size());
  const double total =
      ops::SumWeights(logits.data(), n, top, options_.temperature, floor, &piece_sums_);
  double left = Draw() * total;
  size_t piece = 0;
  while (piece + 1 < piece_sums_.size() && left >= piece_sums_[piece]) left -= piece_sums_[piece++];
  // Rounding may leave a little after a piece's last token: that token takes it. A last piece may
  // be all zeros, so the search ends in one that is not.
  while (piece > 0 && piece_sums_[piece] == 0) left = piece_sums_[--piece];
  const int64_t begin = static_cast<int64_t>(piece) * ops::kWeightPiece;
  const int64_t count = std::min(ops::kWeightPiece, n - begin);
  float weights[ops::kWeightPiece];
  ops::Weights(logits.data() + begin, count, top, options_.temperature, floor, weights);
  int64_t chosen = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (weights[i] == 0) continue;
    chosen = i;
    left -= weights[i];
    if (left < 0) break;
  }
  return static_cast<int32_t>(begin + chosen);
}

// The best tokens, best first, as many as the cuts can need: those within a few temperatures of
// the top are nearly always enough, so the vocabulary is rarely sorted. `total` is the weight of
// all that top_p counts.
void Sampler::CollectHead(std::span<const float> logits, float top, double* total) {
  const auto n = static_cast<int64_t>(logits.size());
  const bool everything = options_.mirostat_tau > 0 || options_.typical_p < 1.0f;
  const size_t k = options_.top_k > 0 && !everything ? static_cast<size_t>(options_.top_k) : 0;
  const float floor = top - kNegligible * options_.temperature;
  double all = 0;
  if (k == 0 && !everything) {
    all = ops::SumWeights(logits.data(), n, top, options_.temperature, floor, &piece_sums_);
  }
  for (const float reach : {4.0f, 10.0f, kNegligible}) {
    const bool last = reach == kNegligible;
    if (everything && !last) continue;
    indices_.clear();
    ops::CollectAtLeast(logits.data(), n, top - reach * options_.temperature, &indices_);
    candidates_.clear();
    for (const int32_t token : indices_) {
      candidates_.push_back({logits[static_cast<size_t>(token)], token});
    }
    if (k > 0 && candidates_.size() < k && !last) continue;
    if (k > 0 && k < candidates_.size()) {
      std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(k),
                       candidates_.end(), BetterCandidate);
      candidates_.resize(k);
    }
    double here = 0;
    for (const Candidate& c : candidates_) here += Weight(c.logit, top);
    *total = k > 0 || everything ? here : all;
    // min_p leaves out what is further than log(1 / min_p) temperatures from the top.
    const bool enough = k > 0 || here >= options_.top_p * all ||
                        (options_.min_p > 0 && std::log(options_.min_p) > -reach);
    if (enough || last) break;
  }
  std::sort(candidates_.begin(), candidates_.end(), BetterCandidate);
}

double Sampler::Weight(float logit, float top) const {
  return std::exp(static_cast<double>(logit - top) / options_.temperature);
}

int32_t Sampler::Sample(std::span<float> logits) {
  Penalise(logits);
  const size_t best = CheckedLargest(logits);
  if (options_.temperature <= 0.0f || options_.top_k == 1) return static_cast<int32_t>(best);

  const float top = logits[best];
  const bool ordered = options_.top_k > 0 || options_.top_p < 1.0f || options_.typical_p < 1.0f ||
                       options_.min_p > 0 || options_.mirostat_tau > 0;
  if (!ordered) return DrawById(logits, top, top - kNegligible * options_.temperature);

  double total = 0;
  CollectHead(logits, top, &total);
  if (options_.mirostat_tau > 0) return SampleMirostat();
  if (options_.typical_p < 1.0f) {
    KeepTypical();
    total = 0;
    for (const Candidate& c : candidates_) total += Weight(c.logit, top);
  }
  // top_p keeps the shortest head that reaches the share; min_p those of at least that share of
  // the best one's probability. The best token always stays.
  double kept = 0;
  size_t count = 0;
  for (const Candidate& c : candidates_) {
    const double w = Weight(c.logit, top);
    if (count > 0 && w < options_.min_p) break;
    kept += w;
    ++count;
    if (options_.top_p < 1.0f && kept >= options_.top_p * total) break;
  }
  double left = Draw() * kept;
  for (size_t i = 0; i < count; ++i) {
    left -= Weight(candidates_[i].logit, top);
    if (left < 0) return candidates_[i].token;
  }
  return candidates_[count - 1].token;  // rounding of the sum used up the draw
}

Logprobs LogprobsOf(std::span<const float> logits, int32_t chosen, int top) {
  const float largest = logits[CheckedLargest(logits)];
  if (chosen < 0 || static_cast<size_t>(chosen) >= logits.size()) {
    throw Error(Join("no logit for token ", chosen, ": there are ", logits.size()));
  }
  const auto n = static_cast<int64_t>(logits.size());
  std::vector<double> sums;
  const double sum = ops::SumWeights(logits.data(), n, largest, 1.0f,
                                     -std::numeric_limits<float>::infinity(), &sums);
  const double log_sum = std::log(sum) + largest;
  const auto logprob = [&](int32_t token) {
    return TokenLogprob{token, static_cast<float>(logits[token] - log_sum)};
  };

  Logprobs result{logprob(chosen), {}};
  const size_t wanted = std::min(static_cast<size_t>(std::max(top, 0)), logits.size());
  std::vector<int32_t> best;
  float floor = largest;
  for (const float reach : {8.0f, 32.0f, std::numeric_limits<float>::infinity()}) {
    if (best.size() >= wanted) break;
    best.clear();
    floor = largest - reach;
    ops::CollectAtLeast(logits.data(), n, floor, &best);
  }
  std::partial_sort(best.begin(), best.begin() + static_cast<ptrdiff_t>(wanted), best.end(),
                    [&](int32_t a, int32_t b) { return Better(logits[a], a, logits[b], b); });
  best.resize(wanted);
  for (const int32_t token : best) result.top.push_back(logprob(token));
  return result;
}

}  // namespace trit
