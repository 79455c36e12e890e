#include "model/arch/head.h"

#include <algorithm>

#include "model/ops/dense.h"
#include "model/ops/ops.h"

namespace trit {
namespace {

static_assert(Head::kTokens <= ops::kScreenTokens);

// Granules of the head's rows (dense.h) handed out at a time: 1 MB of Q6_K at 2560 columns.
constexpr int64_t kPieceGranules = 32;

int64_t Granules(int64_t vocabulary) {
  return (vocabulary + ops::kDenseRowGranule - 1) / ops::kDenseRowGranule;
}

}  // namespace

Head::Head(const Config& config, const Weights& weights)
    : config_(config),
      weights_(weights),
      normed_stride_(ops::PadRow(config.hidden)),
      input_floats_(ops::DensePreparedFloats(weights.head.type, config.hidden)),
      logits_stride_((config.vocabulary + 15) / 16 * 16),
      normed_(kTokens * normed_stride_),
      input_(kTokens * input_floats_),
      logits_(kTokens * logits_stride_) {}

bool Head::Screens(LogitsForm form, ThreadPool& pool) {
  if (form != LogitsForm::kTopExact || !ops::ScreenHasKernel(weights_.head.type, config_.hidden)) {
    return false;
  }
  if (!screen_.empty()) return true;
  std::vector<float> norms(static_cast<size_t>(pool.threads()));
  pool.Run([&](Team& team) {
    team.Share(Granules(config_.vocabulary), [&](int64_t begin, int64_t end) {
      norms[static_cast<size_t>(team.index())] = ops::LargestRowNorm(
          weights_.head, begin * ops::kDenseRowGranule, end * ops::kDenseRowGranule);
    });
  });
  largest_row_norm_ = *std::max_element(norms.begin(), norms.end());
  screen_.resize(static_cast<size_t>(ops::kScreenTokens * config_.hidden / ops::kScreenColumns));
  return true;
}

void Head::Run(Team& team, std::span<const float* const> rows, bool screened) {
  const auto count = static_cast<int64_t>(rows.size());
  team.Share(count, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      float* normed = normed_.data() + i * normed_stride_;
      ops::Norm(rows[static_cast<size_t>(i)], weights_.output_norm.data(), normed_stride_,
                config_.hidden, config_.norm_eps, normed);
      ops::PrepareDenseInput(weights_.head.type, config_.hidden, normed,
                             input_.data() + i * input_floats_);
      if (screened) {
        bounds_[i] =
            ops::PrepareScreenInput(normed, config_.hidden, largest_row_norm_, screen_.data() + i);
      }
    }
  });
  team.Barrier();
  // In pieces of about a megabyte for whoever is free: two threads rarely read at the same speed.
  const int64_t pieces = (Granules(config_.vocabulary) + kPieceGranules - 1) / kPieceGranules;
  team.ShareDynamic(pieces, [&](int64_t piece) {
    const int64_t row_begin = piece * kPieceGranules * ops::kDenseRowGranule;
    const int64_t row_end =
        std::min<int64_t>(row_begin + kPieceGranules * ops::kDenseRowGranule, config_.vocabulary);
    if (screened) {
      ops::MultiplyScreened(weights_.head, screen_.data(), count, row_begin, row_end,
                            logits_.data(), logits_stride_);
    } else {
      ops::MultiplyDense(weights_.head, input_.data(), count, row_begin, row_end, logits_.data(),
                         logits_stride_);
    }
  });
  team.Barrier();
  if (!screened) return;
  team.ShareDynamic(count, [&](int64_t i) {
    ops::RefineLargest(weights_.head, input_.data() + i * input_floats_, bounds_[i], Logits(i));
  });
  team.Barrier();
}

}  // namespace trit
