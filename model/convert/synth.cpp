#include "model/convert/synth.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

#include "model/convert/convert.h"
#include "model/convert/parallel.h"
#include "model/convert/progress.h"
#include "model/encoding/encoding.h"
#include "model/encoding/half.h"
#include "model/gguf/gguf_tokenizer.h"
#include "model/gguf/gguf_writer.h"
#include "targets/base/error.h"

namespace trit {
namespace {

constexpr int64_t kChunkElements = 1 << 20;

uint64_t Mix(uint64_t x) {  // splitmix64's finaliser
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return x ^ x >> 31;
}

// Four xorshift64 generators side by side, so that the compiler can keep them in vector registers.
class Bits {
 public:
  Bits(uint64_t seed, uint64_t stream) {
    for (uint64_t i = 0; i < 4; ++i) state_[i] = Mix(Mix(seed) ^ Mix(stream * 4 + i + 1)) | 1;
  }
  void Fill(uint64_t* out, size_t words) {  // words: a multiple of 4
    for (size_t w = 0; w < words; w += 4) {
      for (int i = 0; i < 4; ++i) {
        uint64_t x = state_[i];
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        out[w + i] = state_[i] = x;
      }
    }
  }

 private:
  std::array<uint64_t, 4> state_;
};

constexpr size_t kBatch = 4096;

// A byte b of random bits: -1 below 74, 0 below 182, +1 from there: 74 : 108 : 74 of 256.
void FillTrits(Bits* bits, int8_t* out, int64_t count) {
  alignas(64) std::array<uint64_t, kBatch / 8> words;
  for (int64_t at = 0; at < count; at += kBatch) {
    bits->Fill(words.data(), words.size());
    alignas(64) std::array<uint8_t, kBatch> bytes;
    std::memcpy(bytes.data(), words.data(), kBatch);
    const auto take = static_cast<size_t>(std::min<int64_t>(kBatch, count - at));
    for (size_t i = 0; i < take; ++i) {
      out[at + static_cast<int64_t>(i)] =
          static_cast<int8_t>((bytes[i] >= 74 ? 1 : 0) + (bytes[i] >= 182 ? 1 : 0) - 1);
    }
  }
}

// Four uniform 16-bit numbers added: nearly a normal distribution, times `deviation`.
void FillNormal(Bits* bits, float* out, int64_t count, float deviation) {
  std::array<uint64_t, kBatch> words;
  // The sum of four uniforms on [0, 65536) has mean 131070 and deviation 65536 / sqrt(3).
  const float factor = deviation * 1.7320508f / 65536.0f;
  for (int64_t at = 0; at < count; at += kBatch) {
    bits->Fill(words.data(), words.size());
    const auto take = static_cast<size_t>(std::min<int64_t>(kBatch, count - at));
    for (size_t i = 0; i < take; ++i) {
      const uint64_t w = words[i];
      const auto sum =
          static_cast<int32_t>((w & 0xffff) + (w >> 16 & 0xffff) + (w >> 32 & 0xffff) + (w >> 48));
      out[at + static_cast<int64_t>(i)] = static_cast<float>(sum - 131070) * factor;
    }
  }
}

enum class Role { kEmbedding, kNorm, kProjection, kGateOrUp };

struct Planned {
  GgufTensorPlan plan;
  Role role;
  int64_t rows = 1, cols = 1;
  float scale = 1;     // ternary: the scale; dense: the deviation
  uint32_t layer = 0;  // kGateOrUp: dead neurons are the same in both
};

class Synthesis {
 public:
  Synthesis(const Preset& preset, uint32_t vocab, const SynthOptions& options)
      : preset_(preset), vocab_(vocab), options_(options) {
    ternary_ = FindTernaryEncoding(options.type);
    if (ternary_ == nullptr || ternary_->write == nullptr) {
      throw Error(
          Join("--type ", options.type, " is not written; known are ", TernaryEncodingNames(true)));
    }
    head_ = FindDenseEncoding(options.head);
    if (head_ == nullptr || head_->write == nullptr) {
      throw Error(
          Join("--head ", options.head, " is not written; known are ", DenseEncodingNames(true)));
    }
    if (!(options.dead_ffn >= 0 && options.dead_ffn < 1)) {
      throw Error("the share of dead FFN neurons must be at least 0 and less than 1");
    }
    PlanTensors();
  }

  uint64_t Write(const TokenizerSpec& vocabulary, const std::string& path) {
    Metadata metadata(path);
    Describe(vocabulary, &metadata);
    std::vector<GgufTensorPlan> plans;
    uint64_t total = 0;
    for (const Planned& tensor : tensors_) {
      plans.push_back(tensor.plan);
      total += tensor.plan.bytes;
    }
    GgufWriter writer(path, metadata, std::move(plans));
    {
      Progress progress("writing", total);
      for (size_t i = 0; i < tensors_.size(); ++i) WriteTensor(i, &writer, &progress);
    }
    writer.Finish();
    return writer.total_bytes();
  }

 private:
  void AddTernary(const std::string& name, int64_t n, int64_t k, float gain, Role role,
                  uint32_t layer) {
    Planned tensor;
    tensor.role = role;
    tensor.rows = n;
    tensor.cols = k;
    tensor.layer = layer;
    // Inputs have mean square 1 (they come from a norm), 57.8 % of the trits are not zero. The
    // scale is an f16 number, so that every encoding holds it exactly.
    tensor.scale = F16ToF32(F32ToF16(gain / std::sqrt(0.578f * static_cast<float>(k))));
    const uint64_t bytes = ternary_->bytes(static_cast<uint64_t>(n), static_cast<uint64_t>(k));
    if (bytes == 0) {
      throw Error(Join("the preset ", preset_.name, " has tensors of ", n, " x ", k, ", but ",
                       ternary_->name, " ", ternary_->shape_rule));
    }
    tensor.plan = {
        name, ternary_->ggml_id, {static_cast<uint64_t>(k), static_cast<uint64_t>(n)}, bytes};
    tensors_.push_back(std::move(tensor));
  }

  void AddNorm(const std::string& name, int64_t size) {
    Planned tensor;
    tensor.role = Role::kNorm;
    tensor.cols = size;
    tensor.plan = {name, 0, {static_cast<uint64_t>(size)}, static_cast<uint64_t>(size) * 4};
    tensors_.push_back(std::move(tensor));
  }

  void AddEmbedding(const std::string& name) {
    if (preset_.hidden % head_->block != 0) {
      throw Error(Join("the preset ", preset_.name, " has rows of ", preset_.hidden, ", but ",
                       head_->name, " needs a multiple of ", head_->block));
    }
    Planned tensor;
    tensor.role = Role::kEmbedding;
    tensor.rows = vocab_;
    tensor.cols = preset_.hidden;
    tensor.scale = Deviation();
    tensor.plan = {name,
                   static_cast<uint32_t>(head_->type),
                   {preset_.hidden, vocab_},
                   uint64_t{vocab_} * (preset_.hidden / head_->block) * head_->block_bytes};
    tensors_.push_back(std::move(tensor));
  }

  // Logits are sums over `hidden` normed values: this gives them a deviation of 3.
  float Deviation() const { return 3.0f / std::sqrt(static_cast<float>(preset_.hidden)); }

  void PlanTensors() {
    const Preset& p = preset_;
    const int64_t q = int64_t{p.heads} * p.head_dim, kv = int64_t{p.kv_heads} * p.head_dim;
    // Each block adds two terms of half the embedding's size to the residual: after L blocks it has
    // grown by sqrt(1 + L / 2), 4 times for 30 layers.
    const float residual = 0.5f * Deviation();
    AddEmbedding("token_embd.weight");
    for (uint32_t layer = 0; layer < p.layers; ++layer) {
      const std::string block = Join("blk.", layer, ".");
      AddNorm(block + "attn_norm.weight", p.hidden);
      AddTernary(block + "attn_q.weight", q, p.hidden, 1, Role::kProjection, layer);
      AddTernary(block + "attn_k.weight", kv, p.hidden, 1, Role::kProjection, layer);
      AddTernary(block + "attn_v.weight", kv, p.hidden, 1, Role::kProjection, layer);
      if (p.sub_norms) AddNorm(block + "attn_sub_norm.weight", q);
      AddTernary(block + "attn_output.weight", p.hidden, q, residual, Role::kProjection, layer);
      AddNorm(block + "ffn_norm.weight", p.hidden);
      AddTernary(block + "ffn_gate.weight", p.ffn, p.hidden, 1, Role::kGateOrUp, layer);
      AddTernary(block + "ffn_up.weight", p.ffn, p.hidden, 1, Role::kGateOrUp, layer);
      if (p.sub_norms) AddNorm(block + "ffn_sub_norm.weight", p.ffn);
      AddTernary(block + "ffn_down.weight", p.hidden, p.ffn, residual, Role::kProjection, layer);
    }
    AddNorm("output_norm.weight", p.hidden);
    if (!p.tied) AddEmbedding("output.weight");
  }

  void Describe(const TokenizerSpec& vocabulary, Metadata* out) const {
    const Preset& p = preset_;
    const std::string prefix = Join(p.architecture, ".");
    out->SetString("general.architecture", p.architecture);
    out->SetString("general.name", Join("synthetic ", p.name, " seed ", options_.seed));
    out->SetU32("general.file_type", GgufFileType(ternary_->name));
    out->SetU32(prefix + "vocab_size", vocab_);
    out->SetU32(prefix + "context_length", p.context);
    out->SetU32(prefix + "embedding_length", p.hidden);
    out->SetU32(prefix + "block_count", p.layers);
    out->SetU32(prefix + "feed_forward_length", p.ffn);
    out->SetU32(prefix + "rope.dimension_count", p.head_dim);
    out->SetU32(prefix + "attention.head_count", p.heads);
    out->SetU32(prefix + "attention.head_count_kv", p.kv_heads);
    if (p.heads * p.head_dim != p.hidden) {
      out->SetU32(prefix + "attention.key_length", p.head_dim);
      out->SetU32(prefix + "attention.value_length", p.head_dim);
    }
    out->SetF32(prefix + "attention.layer_norm_rms_epsilon", p.eps);
    out->SetF32(prefix + "rope.freq_base", p.rope_theta);
    WriteGgufTokenizer(vocabulary, out);
  }

  bool Dead(uint32_t layer, int64_t neuron) const {
    if (options_.dead_ffn == 0) return false;
    const uint64_t hash =
        Mix(Mix(options_.seed ^ 0xdeadu) + (uint64_t{layer} << 32) + static_cast<uint64_t>(neuron));
    return static_cast<double>(hash >> 11) * 0x1p-53 < options_.dead_ffn;
  }

  void WriteTensor(size_t index, GgufWriter* writer, Progress* progress) const {
    const Planned& tensor = tensors_[index];
    const bool ternary = tensor.role == Role::kProjection || tensor.role == Role::kGateOrUp;
    const auto block = static_cast<int64_t>(ternary ? ternary_->write_block : 1);
    // Chunks are whole rows and whole blocks; they do not depend on the encoding's block when that
    // divides 256 rows' worth, which 128 and 256 do.
    const int64_t unit = 256 / std::gcd<int64_t>(256, tensor.cols);
    const int64_t chunk = std::max<int64_t>(1, kChunkElements / tensor.cols / unit) * unit;
    const int64_t chunks = (tensor.rows + chunk - 1) / chunk;
    ParallelFor(chunks, options_.threads, [&](int64_t c) {
      const int64_t begin = c * chunk, end = std::min(tensor.rows, begin + chunk);
      const int64_t count = (end - begin) * tensor.cols;
      Bits bits(options_.seed, static_cast<uint64_t>(index) << 32 | static_cast<uint64_t>(c));
      std::vector<uint8_t> bytes;
      uint64_t offset = 0;
      if (ternary) {
        std::vector<int8_t> trits(static_cast<size_t>(count));
        FillTrits(&bits, trits.data(), count);
        for (int64_t r = begin; tensor.role == Role::kGateOrUp && r < end; ++r) {
          if (Dead(tensor.layer, r)) {
            std::memset(trits.data() + (r - begin) * tensor.cols, 0,
                        static_cast<size_t>(tensor.cols));
          }
        }
        bytes.resize(static_cast<size_t>(count / block) * ternary_->write_block_bytes);
        ternary_->write(trits.data(), static_cast<uint64_t>(count), tensor.scale, bytes.data());
        offset = static_cast<uint64_t>(begin * tensor.cols / block) * ternary_->write_block_bytes;
      } else {
        std::vector<float> values(static_cast<size_t>(count));
        FillNormal(&bits, values.data(), count, tensor.role == Role::kNorm ? 0.1f : tensor.scale);
        const DenseEncoding* encoding = head_;
        if (tensor.role == Role::kNorm) {
          for (float& value : values) value += 1.0f;
          encoding = FindDenseEncoding("f32");
        }
        bytes.resize(static_cast<size_t>(count / encoding->block) * encoding->block_bytes);
        encoding->write(values.data(), static_cast<uint64_t>(count), bytes.data());
        offset =
            static_cast<uint64_t>(begin * tensor.cols / encoding->block) * encoding->block_bytes;
      }
      writer->Write(index, offset, bytes);
      progress->Add(bytes.size());
    });
    if (ternary && ternary_->trailer_bytes != 0) {
      std::vector<uint8_t> trailer(ternary_->trailer_bytes);
      ternary_->write_trailer(tensor.scale, trailer.data());
      writer->Write(index, tensor.plan.bytes - trailer.size(), trailer);
    }
  }

  const Preset& preset_;
  uint32_t vocab_;
  const SynthOptions& options_;
  const TernaryEncoding* ternary_ = nullptr;
  const DenseEncoding* head_ = nullptr;
  std::vector<Planned> tensors_;
};

}  // namespace

uint64_t SynthModel(const Preset& preset, const TokenizerSpec& vocabulary,
                    const std::string& out_path, const SynthOptions& options) {
  return Synthesis(preset, static_cast<uint32_t>(vocabulary.tokens.size()), options)
      .Write(vocabulary, out_path);
}

}  // namespace trit
