#include "model/convert/convert.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>

#include "model/convert/parallel.h"
#include "model/convert/progress.h"
#include "model/encoding/encoding.h"
#include "model/encoding/half.h"
#include "model/gguf/gguf_tokenizer.h"
#include "model/gguf/gguf_writer.h"
#include "targets/base/error.h"

namespace trit {
namespace {

constexpr int64_t kChunkElements = 4 << 20;

// One tensor on its way: what it was and what it becomes.
struct Step {
  std::string name;
  int64_t rows = 0, cols = 0;
  const TernaryEncoding* ternary = nullptr;  // null: dense
  const DenseEncoding* dense = nullptr;
  float scale = 1;        // ternary: what the blocks hold
  bool is_scale = false;  // a one-number tensor `scale`, beside the tensor before it
  int64_t head_rows = 0;  // rows of a head to permute; 0 = rows as they are
};

// Rotate-half rows to the interleaved order of GGUF's "llama": row 2i+j of a head was row j*d/2+i.
int64_t SourceRow(const Step& step, int64_t row) {
  if (step.head_rows == 0) return row;
  const int64_t head = row / step.head_rows, inside = row % step.head_rows;
  return head * step.head_rows + inside % 2 * (step.head_rows / 2) + inside / 2;
}

// Calls read(begin, end, to) for the rows of the source that make rows [begin, end) of the result.
template <typename T, typename Read>
void ReadRows(const Step& step, int64_t begin, int64_t end, T* to, const Read& read) {
  if (step.head_rows == 0) {
    read(begin, end, to);
    return;
  }
  for (int64_t row = begin; row < end; ++row, to += step.cols) {
    const int64_t from = SourceRow(step, row);
    read(from, from + 1, to);
  }
}

// Rows of one chunk: a few megabytes, and (all but the last) whole blocks of the encoding.
int64_t ChunkRows(const Step& step) {
  const int64_t block =
      step.ternary != nullptr ? static_cast<int64_t>(step.ternary->write_block) : 1;
  const int64_t unit = block / std::gcd(block, step.cols);
  return std::max<int64_t>(1, kChunkElements / step.cols / unit) * unit;
}

class Converter {
 public:
  Converter(const ModelSource& source, const ConvertOptions& options)
      : source_(source), options_(options) {
    ternary_ = FindTernaryEncoding(options.type);
    if (ternary_ == nullptr || ternary_->write == nullptr) {
      throw Error(
          Join("--type ", options.type, " is not written; known are ", TernaryEncodingNames(true)));
    }
    if (options.head != "keep") {
      head_ = FindDenseEncoding(options.head);
      if (head_ == nullptr || head_->write == nullptr) {
        throw Error(Join("--head ", options.head, " is not written; known are keep, ",
                         DenseEncodingNames(true)));
      }
    }
  }

  ConvertReport Run(const std::string& out_path) {
    Plan();
    std::vector<GgufTensorPlan> plans;
    uint64_t total = 0;
    for (const Step& step : steps_) {
      GgufTensorPlan plan;
      plan.name = step.name;
      plan.type =
          step.ternary != nullptr ? step.ternary->ggml_id : static_cast<uint32_t>(step.dense->type);
      plan.dims = {static_cast<uint64_t>(step.cols)};
      if (step.rows != 1 || step.ternary != nullptr) {
        plan.dims.push_back(static_cast<uint64_t>(step.rows));
      }
      plan.bytes = Bytes(step);
      total += plan.bytes;
      plans.push_back(std::move(plan));
    }
    const Metadata metadata = Describe();
    GgufWriter writer(out_path, metadata, plans);
    {
      Progress progress("converting", total);
      for (size_t i = 0; i < steps_.size(); ++i) WriteTensor(i, &writer, &progress);
    }
    if (options_.verify) Verify(writer.temporary_path(), total);
    writer.Finish();
    report_.bytes = writer.total_bytes();
    return report_;
  }

 private:
  static uint64_t Bytes(const Step& step) {
    const auto n = static_cast<uint64_t>(step.rows), k = static_cast<uint64_t>(step.cols);
    if (step.ternary != nullptr) return step.ternary->bytes(n, k);
    return n * (k / step.dense->block) * step.dense->block_bytes;
  }

  void Plan() {
    for (const TensorInfo& info : source_.tensors()) {
      if (info.name.ends_with(".scale")) continue;  // folded into its tensor's scale
      if (info.ternary || IsProjection(info.name)) {
        PlanTernary(info);
      } else {
        PlanDense(info);
      }
    }
  }

  void PlanTernary(const TensorInfo& info) {
    const auto tensor = source_.Ternary(info.name);
    const TernaryScales scales = tensor->Scales();
    if (!scales.single()) {
      throw Error(Join(source_.path(), ": the tensor ", info.name, " has ", scales.values.size(),
                       " scales; ", ternary_->name, " is written with one a tensor"));
    }
    Step step;
    step.name = info.name;
    step.rows = info.rows;
    step.cols = info.cols;
    step.ternary = ternary_;
    step.scale = scales.values[0];
    step.head_rows = HeadRows(info);
    if (Bytes(step) == 0) {
      throw Error(Join(source_.path(), ": the tensor ", info.name, " is ", info.rows, " x ",
                       info.cols, ", but ", ternary_->name, " ", ternary_->shape_rule));
    }
    const bool exact = ternary_->scale_is_f32 || F16ToF32(F32ToF16(step.scale)) == step.scale;
    const float wanted = step.scale;
    if (!exact) step.scale = 1;
    steps_.push_back(step);
    if (!exact) {
      Step companion;
      companion.name =
          info.name.substr(0, info.name.size() - std::string(".weight").size()) + ".scale";
      companion.rows = companion.cols = 1;
      companion.dense = FindDenseEncoding("f32");
      companion.is_scale = true;
      companion.scale = wanted;
      steps_.push_back(companion);
      ++report_.scale_tensors;
    }
    ++report_.ternary_tensors;
    report_.trits += info.rows * info.cols;
  }

  void PlanDense(const TensorInfo& info) {
    const bool vector = info.rows == 1;
    Step step;
    step.name = info.name;
    step.rows = info.rows;
    step.cols = info.cols;
    // Norms are F32 in published files whatever the checkpoint has; that is exact.
    step.dense = vector ? FindDenseEncoding("f32") : FindDenseEncoding(info.encoding);
    if (!vector && head_ != nullptr &&
        (info.name == "token_embd.weight" || info.name == "output.weight")) {
      step.dense = head_;
    }
    if (info.cols % step.dense->block != 0) {
      throw Error(Join(source_.path(), ": the tensor ", info.name, " has rows of ", info.cols,
                       ", but ", step.dense->name, " needs a multiple of ", step.dense->block));
    }
    steps_.push_back(step);
    ++report_.dense_tensors;
  }

  int64_t HeadRows(const TensorInfo& info) const {
    const std::string architecture = source_.architecture();
    if (architecture != "llama" || !source_.qk_in_rotate_half_order()) return 0;
    const bool q = info.name.ends_with(".attn_q.weight"), k = info.name.ends_with(".attn_k.weight");
    if (!q && !k) return 0;
    const uint32_t heads = source_.metadata().U32(
        architecture + (q ? ".attention.head_count" : ".attention.head_count_kv"));
    if (heads == 0 || info.rows % (2 * static_cast<int64_t>(heads)) != 0) {
      throw Error(Join(source_.path(), ": the tensor ", info.name, " has ", info.rows, " rows for ",
                       heads, " heads"));
    }
    return info.rows / heads;
  }

  Metadata Describe() const {
    Metadata out(source_.path());
    const Metadata& in = source_.metadata();
    for (const std::string& key : in.keys()) out.Set(key, *in.Peek(key));
    // A GGUF file's tokenizer keys are there already; a folder's come from its tokenizer files.
    if (!in.Has("tokenizer.ggml.model") && source_.format() != "gguf v2" &&
        source_.format() != "gguf v3") {
      WriteGgufTokenizer(source_.Tokenizer(), &out);
    }
    out.SetU32("general.file_type", GgufFileType(ternary_->name));
    return out;
  }

  void WriteTensor(size_t index, GgufWriter* writer, Progress* progress) {
    const Step& step = steps_[index];
    if (step.is_scale) {
      writer->Write(index, 0, {reinterpret_cast<const uint8_t*>(&step.scale), sizeof(float)});
      return;
    }
    const int64_t chunk = ChunkRows(step), chunks = (step.rows + chunk - 1) / chunk;
    const auto ternary = step.ternary != nullptr ? source_.Ternary(step.name) : nullptr;
    const auto dense = step.ternary == nullptr ? source_.Dense(step.name) : nullptr;
    const auto copied = dense != nullptr && dense->encoding() == step.dense->name;
    ParallelFor(chunks, options_.threads, [&](int64_t c) {
      const int64_t begin = c * chunk, end = std::min(step.rows, begin + chunk);
      const auto count = static_cast<uint64_t>((end - begin) * step.cols);
      const uint64_t first = static_cast<uint64_t>(begin * step.cols);
      std::vector<uint8_t> bytes;
      uint64_t offset;
      if (ternary != nullptr) {
        std::vector<int8_t> trits(count);
        ReadRows(step, begin, end, trits.data(),
                 [&](int64_t b, int64_t e, int8_t* to) { ternary->ReadTrits(b, e, to); });
        const uint64_t block = step.ternary->write_block, size = step.ternary->write_block_bytes;
        bytes.resize(count / block * size);
        step.ternary->write(trits.data(), count, step.scale, bytes.data());
        offset = first / block * size;
        if (step.head_rows == 0) ternary->DropPages(begin, end);
      } else if (copied) {
        const auto rows = dense->bytes();
        offset = static_cast<uint64_t>(begin * dense->row_bytes());
        writer->Write(
            index, offset,
            rows.subspan(offset, static_cast<uint64_t>((end - begin) * dense->row_bytes())));
        dense->DropPages(begin, end);
      } else {
        std::vector<float> values(count);
        dense->ReadRowsF32(begin, end, values.data());
        bytes.resize(count / step.dense->block * step.dense->block_bytes);
        step.dense->write(values.data(), count, bytes.data());
        offset = first / step.dense->block * step.dense->block_bytes;
        dense->DropPages(begin, end);
      }
      if (!bytes.empty()) writer->Write(index, offset, bytes);
      progress->Add(Bytes(step) * static_cast<uint64_t>(end - begin) /
                    static_cast<uint64_t>(step.rows));
    });
    if (step.ternary != nullptr && step.ternary->trailer_bytes != 0) {
      std::vector<uint8_t> trailer(step.ternary->trailer_bytes);
      step.ternary->write_trailer(step.scale, trailer.data());
      writer->Write(index, Bytes(step) - trailer.size(), trailer);
    }
    if (ternary != nullptr) ternary->DropPages(0, step.rows);
  }

  // Reads the result as any reader would and compares trits, scales and copied numbers.
  void Verify(const std::string& path, uint64_t total) const {
    const auto written = OpenModel(path);
    Progress progress("checking", total);
    for (const Step& step : steps_) {
      if (step.is_scale) continue;
      if (step.ternary != nullptr) {
        const auto before = source_.Ternary(step.name), after = written->Ternary(step.name);
        const TernaryScales want = before->Scales(), got = after->Scales();
        if (!got.single() || std::memcmp(&want.values[0], &got.values[0], sizeof(float)) != 0) {
          throw Error(Join("the written tensor ", step.name, " has another scale than its source"));
        }
        Compare<int8_t>(
            step, &progress,
            [&](int64_t b, int64_t e, int8_t* to) {
              ReadRows(step, b, e, to, [&](int64_t sb, int64_t se, int8_t* row) {
                before->ReadTrits(sb, se, row);
              });
            },
            [&](int64_t b, int64_t e, int8_t* to) { after->ReadTrits(b, e, to); },
            [&](int64_t b, int64_t e) {
              if (step.head_rows == 0) before->DropPages(b, e);
              after->DropPages(b, e);
            });
        before->DropPages(0, step.rows);
        continue;
      }
      const auto before = source_.Dense(step.name), after = written->Dense(step.name);
      const bool exact =
          before->encoding() == after->encoding() || step.dense->name == std::string("f32");
      if (!exact) continue;  // requantised: not meant to be equal
      Compare<float>(
          step, &progress, [&](int64_t b, int64_t e, float* to) { before->ReadRowsF32(b, e, to); },
          [&](int64_t b, int64_t e, float* to) { after->ReadRowsF32(b, e, to); },
          [&](int64_t b, int64_t e) {
            before->DropPages(b, e);
            after->DropPages(b, e);
          });
    }
  }

  template <typename T, typename Before, typename After, typename Drop>
  void Compare(const Step& step, Progress* progress, const Before& before, const After& after,
               const Drop& drop) const {
    const int64_t chunk = std::max<int64_t>(1, kChunkElements / step.cols);
    ParallelFor((step.rows + chunk - 1) / chunk, options_.threads, [&](int64_t c) {
      const int64_t begin = c * chunk, end = std::min(step.rows, begin + chunk);
      const auto count = static_cast<size_t>((end - begin) * step.cols);
      std::vector<T> want(count), got(count);
      before(begin, end, want.data());
      after(begin, end, got.data());
      if (std::memcmp(want.data(), got.data(), count * sizeof(T)) != 0) {
        throw Error(Join("the written tensor ", step.name, " differs from its source in rows ",
                         begin, " to ", end - 1));
      }
      drop(begin, end);
      progress->Add(Bytes(step) * static_cast<uint64_t>(end - begin) /
                    static_cast<uint64_t>(step.rows));
    });
  }

  const ModelSource& source_;
  const ConvertOptions& options_;
  const TernaryEncoding* ternary_ = nullptr;
  const DenseEncoding* head_ = nullptr;
  std::vector<Step> steps_;
  ConvertReport report_;
};

}  // namespace

bool IsProjection(std::string_view name) {
  if (!name.starts_with("blk.")) return false;
  for (const std::string_view part :
       {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"}) {
    const std::string end = Join(".", part, ".weight");
    if (name.ends_with(end)) return true;
  }
  return false;
}

uint32_t GgufFileType(std::string_view ternary_encoding) {
  if (ternary_encoding == "tq1_0") return 36;
  if (ternary_encoding == "tq2_0") return 37;
  return 40;  // the BitNet fork's number for I2_S
}

ConvertReport ConvertModel(const ModelSource& source, const std::string& out_path,
                           const ConvertOptions& options) {
  return Converter(source, options).Run(out_path);
}

}  // namespace trit
