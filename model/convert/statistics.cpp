#include "model/convert/statistics.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "model/convert/convert.h"
#include "model/convert/parallel.h"
#include "model/convert/progress.h"
#include "targets/base/error.h"

namespace trit {
namespace {

constexpr int64_t kChunkElements = 4 << 20;
// absmean of trained weights, and so every scale seen in a real model, lies far inside this; a
// reciprocal written by mistake lies outside.
constexpr float kSaneScale = 16.0f;

TritCounts CountRow(const int8_t* trits, int64_t count) {
  // Blocks short enough for 16-bit sums, so that the compiler counts 8 or more at a time.
  int64_t sum = 0, nonzero = 0;
  for (int64_t at = 0; at < count; at += 4096) {
    const int64_t end = std::min(count, at + 4096);
    int16_t block_sum = 0, block_nonzero = 0;
    for (int64_t i = at; i < end; ++i) {
      block_sum = static_cast<int16_t>(block_sum + trits[i]);
      block_nonzero = static_cast<int16_t>(block_nonzero + (trits[i] & 1));
    }
    sum += block_sum;
    nonzero += block_nonzero;
  }
  TritCounts counts;
  counts.plus = (nonzero + sum) / 2;
  counts.minus = (nonzero - sum) / 2;
  counts.zero = count - nonzero;
  counts.zero_rows = nonzero == 0 ? 1 : 0;
  return counts;
}

void Add(const TritCounts& more, TritCounts* to) {
  to->minus += more.minus;
  to->zero += more.zero;
  to->plus += more.plus;
  to->zero_rows += more.zero_rows;
}

TernaryStatistics CountTensor(const ModelSource& source, const TensorInfo& info, int threads,
                              std::vector<bool>* zero_rows) {
  const auto tensor = source.Ternary(info.name);
  TernaryStatistics out{info.name, tensor->encoding(), info.rows, info.cols, {}, 0, 0, 0};
  const TernaryScales scales = tensor->Scales();
  out.scales = scales.values.size();
  const auto [low, high] = std::minmax_element(scales.values.begin(), scales.values.end());
  out.scale_low = *low;
  out.scale_high = *high;
  std::vector<uint8_t> zero(static_cast<size_t>(info.rows));
  std::mutex mutex;
  const int64_t chunk = std::max<int64_t>(1, kChunkElements / info.cols);
  ParallelFor((info.rows + chunk - 1) / chunk, threads, [&](int64_t c) {
    const int64_t begin = c * chunk, end = std::min(info.rows, begin + chunk);
    std::vector<int8_t> trits(static_cast<size_t>((end - begin) * info.cols));
    tensor->ReadTrits(begin, end, trits.data());
    tensor->DropPages(begin, end);
    TritCounts counts;
    for (int64_t r = begin; r < end; ++r) {
      const TritCounts row = CountRow(trits.data() + (r - begin) * info.cols, info.cols);
      zero[static_cast<size_t>(r)] = static_cast<uint8_t>(row.zero_rows);
      Add(row, &counts);
    }
    const std::lock_guard lock(mutex);
    Add(counts, &out.counts);
  });
  zero_rows->assign(zero.begin(), zero.end());
  return out;
}

}  // namespace

ModelStatistics CountModel(const ModelSource& source, int threads) {
  ModelStatistics out;
  std::vector<const TensorInfo*> todo;
  uint64_t total = 0;
  for (const TensorInfo& info : source.tensors()) {
    if (!info.ternary && !IsProjection(info.name)) continue;
    todo.push_back(&info);
    total += static_cast<uint64_t>(info.rows * info.cols);
  }
  Progress progress("counting", total);
  std::map<std::string, std::vector<bool>> gates;  // by block; waits for the block's up
  for (const TensorInfo* info : todo) {
    std::vector<bool> zero;
    out.tensors.push_back(CountTensor(source, *info, threads, &zero));
    const TernaryStatistics& tensor = out.tensors.back();
    Add(tensor.counts, &out.all);
    if (tensor.scale_high > kSaneScale || tensor.scale_low < 0) {
      out.warnings.push_back(Join("the scale of ", info->name, " is ", tensor.scale_high,
                                  ", far outside what absmean gives: it may be the reciprocal of "
                                  "the right one"));
    }
    const size_t end = info->name.find(".ffn_");
    const bool gate = info->name.ends_with(".ffn_gate.weight");
    if (gate || info->name.ends_with(".ffn_up.weight")) {
      const std::string block = info->name.substr(0, end);
      const auto other = gates.find(block);
      if (other == gates.end()) {
        gates[block] = std::move(zero);
      } else if (other->second.size() == zero.size()) {
        for (size_t r = 0; r < zero.size(); ++r) {
          if (!zero[r] || !other->second[r]) continue;
          ++out.dead_neurons;
          out.dead_weights += 3 * info->cols;
        }
        out.neurons += static_cast<int64_t>(zero.size());
        gates.erase(other);
      }
    }
    progress.Add(static_cast<uint64_t>(info->rows * info->cols));
  }
  return out;
}

}  // namespace trit
