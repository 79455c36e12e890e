#include "model/sampling/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "targets/base/error.h"

namespace trit {
namespace {

// exp(-34) is 2e-15: 128k tokens below it weigh 2e-10 together, less than one draw resolves
// against the head of the distribution; leaving them out keeps the sort to a few thousand tokens.
constexpr float kNegligible = 34.0f;

// The index of the largest logit, the lowest among equals. NaN is refused by the caller's check.
size_t ArgMax(std::span<const float> logits) {
  size_t best = 0;
  for (size_t i = 1; i < logits.size(); ++i) {
    if (logits[i] > logits[best]) best = i;
  }
  return best;
}

void CheckLogits(std::span<const float> logits) {
  if (logits.empty()) throw Error("sampling needs at least one logit, got none");
  float largest = -std::numeric_limits<float>::infinity();
  bool bad = false;
  for (const float value : logits) {
    bad |= !(value < std::numeric_limits<float>::infinity());
    largest = std::max(largest, value);
  }
  if (bad) throw Error("sampling got a logit that is NaN or +inf: the model's output is broken");
  if (largest == -std::numeric_limits<float>::infinity()) {
    throw Error("sampling got only -inf: logit_bias leaves no token to choose");
  }
}

bool Better(float a_logit, int32_t a, float b_logit, int32_t b) {
  return a_logit > b_logit || (a_logit == b_logit && a < b);
}

}  // namespace

Sampler::Sampler(SamplingOptions options)
    : options_(std::move(options)), state_(options_.seed),
      mirostat_mu_(2.0 * options_.mirostat_tau) {}

// Candidates are sorted, best first, and stay so.
void Sampler::KeepTypical() {
  std::vector<double> p;
  double total = 0, entropy = 0;
  for (const Candidate& c : candidates_) {
    p.push_back(std::exp(static_cast<double>(c.logit - candidates_[0].logit) /
                         options_.temperature));
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
    p.push_back(std::exp(static_cast<double>(c.logit - candidates_[0].logit) /
                         options_.temperature));
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

int32_t Sampler::Sample(std::span<float> logits) {
  Penalise(logits);
  CheckLogits(logits);
  const size_t best = ArgMax(logits);
  if (options_.temperature <= 0.0f || options_.top_k == 1) return static_cast<int32_t>(best);

  const float top = logits[best];
  const float floor = top - kNegligible * options_.temperature;
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] >= floor) candidates_.push_back({logits[i], static_cast<int32_t>(i)});
  }
  const auto better = [](const Candidate& a, const Candidate& b) {
    return Better(a.logit, a.token, b.logit, b.token);
  };
  if (options_.mirostat_tau > 0) {
    std::sort(candidates_.begin(), candidates_.end(), better);
    return SampleMirostat();
  }
  const size_t k = options_.top_k > 0 ? static_cast<size_t>(options_.top_k) : candidates_.size();
  if (k < candidates_.size()) {
    std::nth_element(candidates_.begin(), candidates_.begin() + static_cast<ptrdiff_t>(k),
                     candidates_.end(), better);
    candidates_.resize(k);
  }
  std::sort(candidates_.begin(), candidates_.end(), better);
  if (options_.typical_p < 1.0f) KeepTypical();

  const auto weight = [&](const Candidate& c) {
    return std::exp(static_cast<double>(c.logit - top) / options_.temperature);
  };
  double total = 0;
  for (const Candidate& c : candidates_) total += weight(c);
  // top_p keeps the shortest head that reaches the share; min_p those of at least that share of
  // the best one's probability. The best token always stays.
  double kept = 0;
  size_t count = 0;
  for (const Candidate& c : candidates_) {
    const double w = weight(c);
    if (count > 0 && w < options_.min_p) break;
    kept += w;
    ++count;
    if (options_.top_p < 1.0f && kept >= options_.top_p * total) break;
  }
  double left = Draw() * kept;
  for (size_t i = 0; i < count; ++i) {
    left -= weight(candidates_[i]);
    if (left < 0) return candidates_[i].token;
  }
  return candidates_[count - 1].token;  // rounding of the sum used up the draw
}

Logprobs LogprobsOf(std::span<const float> logits, int32_t chosen, int top) {
  CheckLogits(logits);
  if (chosen < 0 || static_cast<size_t>(chosen) >= logits.size()) {
    throw Error(Join("no logit for token ", chosen, ": there are ", logits.size()));
  }
  const float largest = logits[ArgMax(logits)];
  double sum = 0;
  for (const float value : logits) sum += std::exp(static_cast<double>(value - largest));
  const double log_sum = std::log(sum) + largest;
  const auto logprob = [&](int32_t token) {
    return TokenLogprob{token, static_cast<float>(logits[token] - log_sum)};
  };

  Logprobs result{logprob(chosen), {}};
  const size_t wanted = std::min(static_cast<size_t>(std::max(top, 0)), logits.size());
  std::vector<int32_t> best;  // at most 20 in the API: insertion beats a sort of the vocabulary
  for (size_t i = 0; wanted > 0 && i < logits.size(); ++i) {
    const auto token = static_cast<int32_t>(i);
    if (best.size() == wanted && !(logits[i] > logits[best.back()])) continue;
    if (best.size() == wanted) best.pop_back();
    const auto at = std::find_if(best.begin(), best.end(),
                                 [&](int32_t other) { return logits[i] > logits[other]; });
    best.insert(at, token);
  }
  for (const int32_t token : best) result.top.push_back(logprob(token));
  return result;
}

}  // namespace trit
