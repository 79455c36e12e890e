// The end of a forward pass: the last norm and the head, for some tokens at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/arch/config.h"
#include "model/arch/weights.h"
#include "model/ops/screen.h"
#include "runtime/thread_pool.h"

namespace trit {

enum class LogitsForm {
  kExact,     // every logit as the head's encoding says, in float32
  kTopExact,  // the largest logit exact, the others within a bound: model/ops/screen.h. A third of
              // the work for eight tokens; the same as kExact where the encoding has no such form
};

class Head {
 public:
  // Tokens whose logits are computed together: the head's weights are read once for them.
  static constexpr int64_t kTokens = 16;

  Head(const Config& config, const Weights& weights);

  // Outside of a region: true when this head computes that form by a first look at all logits.
  // The first such call looks at all weights.
  bool Screens(LogitsForm form, ThreadPool& pool);

  // Logits of at most kTokens tokens, given their rows of the residual stream. Every thread of the
  // team makes the call; a barrier ends it.
  void Run(Team& team, std::span<const float* const> rows, bool screened);
  float* Logits(int64_t token) { return logits_.data() + token * logits_stride_; }

 private:
  const Config& config_;
  const Weights& weights_;
  const int64_t normed_stride_, input_floats_, logits_stride_;
  FloatBuffer normed_, input_, logits_;
  std::vector<ops::ScreenBlock> screen_;
  float largest_row_norm_ = 0;
  float bounds_[kTokens] = {};
};

}  // namespace trit
