#include "tests/model/tiny_model.h"

#include <cmath>
#include <cstring>
#include <random>

#include "targets/base/error.h"

namespace trit::kit {
namespace {

class TinyTernary : public TernaryTensor {
 public:
  TinyTernary(std::string name, TinyMatrix matrix)
      : name_(std::move(name)), matrix_(std::move(matrix)) {}
  const std::string& name() const override { return name_; }
  int64_t n() const override { return matrix_.n; }
  int64_t k() const override { return matrix_.k; }
  std::string encoding() const override { return "test"; }
  void ReadTrits(int64_t begin, int64_t end, int8_t* out) const override {
    std::memcpy(out, matrix_.trits.data() + begin * matrix_.k,
                static_cast<size_t>((end - begin) * matrix_.k));
  }
  TernaryScales Scales() const override { return matrix_.scales; }
  ContentHash Hash() const override { return {}; }
  void DropPages(int64_t, int64_t) const override {}

 private:
  std::string name_;
  TinyMatrix matrix_;
};

class TinyDense : public DenseTensor {
 public:
  TinyDense(std::string name, TinyVector vector)
      : name_(std::move(name)), vector_(std::move(vector)) {}
  const std::string& name() const override { return name_; }
  DenseType type() const override { return DenseType::kF32; }
  std::string encoding() const override { return "f32"; }
  int64_t rows() const override { return vector_.rows; }
  int64_t cols() const override { return vector_.cols; }
  std::span<const uint8_t> bytes() const override { return {}; }
  int64_t row_bytes() const override { return vector_.cols * 4; }
  void ReadRowsF32(int64_t begin, int64_t end, float* out) const override {
    std::memcpy(out, vector_.values.data() + begin * vector_.cols,
                static_cast<size_t>((end - begin) * vector_.cols) * 4);
  }
  ContentHash Hash() const override { return {}; }
  void DropPages(int64_t, int64_t) const override {}

 protected:
  std::string name_;
  TinyVector vector_;
};

// With bytes, as the head needs them.
class TinyHead : public TinyDense {
 public:
  using TinyDense::TinyDense;
  std::span<const uint8_t> bytes() const override {
    return {reinterpret_cast<const uint8_t*>(vector_.values.data()), vector_.values.size() * 4};
  }
};

class TinySource : public ModelSource {
 public:
  explicit TinySource(TinyModel model) : model_(std::move(model)), path_("a tiny model") {
    for (const auto& [name, m] : model_.matrices) {
      infos_.push_back({name, name, "test", true, m.n, m.k, 0});
    }
    for (const auto& [name, v] : model_.vectors) {
      infos_.push_back({name, name, "f32", false, v.rows, v.cols, 0});
    }
  }
  const std::string& path() const override { return path_; }
  std::string format() const override { return "test"; }
  const Metadata& metadata() const override { return model_.metadata; }
  bool qk_in_rotate_half_order() const override { return model_.shape.halves; }
  const std::vector<TensorInfo>& tensors() const override { return infos_; }
  std::unique_ptr<TernaryTensor> Ternary(std::string_view name) const override {
    const auto it = model_.matrices.find(std::string(name));
    if (it == model_.matrices.end()) throw Error(Join("no tensor ", name));
    return std::make_unique<TinyTernary>(it->first, it->second);
  }
  std::unique_ptr<DenseTensor> Dense(std::string_view name) const override {
    const auto it = model_.vectors.find(std::string(name));
    if (it == model_.vectors.end()) throw Error(Join("no tensor ", name));
    return std::make_unique<TinyHead>(it->first, it->second);
  }
  TokenizerSpec Tokenizer() const override { throw Error("no tokenizer"); }
  std::string Stamp() const override { return Join("tiny ", model_.shape.seed, model_.shape.arch); }

 private:
  TinyModel model_;
  std::string path_;
  std::vector<TensorInfo> infos_;
};

// y = W q * scale / s, with the activations rounded as the definition says.
struct Quantised {
  std::vector<int> q;
  double s;
};

Quantised Quantise(const std::vector<double>& x, double* margin) {
  double largest = 1e-5;
  for (const double v : x) largest = std::max(largest, std::fabs(v));
  Quantised out;
  out.s = 127 / largest;
  for (const double v : x) {
    const double scaled = v * out.s;
    const double floor = std::floor(scaled);
    *margin = std::min(*margin, std::fabs(scaled - floor - 0.5));
    const double rounded = scaled - floor > 0.5       ? floor + 1
                           : scaled - floor < 0.5     ? floor
                           : std::fmod(floor, 2) == 0 ? floor
                                                      : floor + 1;
    out.q.push_back(static_cast<int>(std::max(-128.0, std::min(127.0, rounded))));
  }
  return out;
}

std::vector<double> Multiply(const TinyMatrix& w, const Quantised& a) {
  std::vector<double> y(static_cast<size_t>(w.n));
  for (int64_t n = 0; n < w.n; ++n) {
    int64_t sum = 0;
    for (int64_t k = 0; k < w.k; ++k) {
      sum += w.trits[static_cast<size_t>(n * w.k + k)] * a.q[static_cast<size_t>(k)];
    }
    const float scale = w.scales.values[static_cast<size_t>(n / w.scales.row_group)];
    y[static_cast<size_t>(n)] = static_cast<double>(sum) * scale / a.s;
  }
  return y;
}

std::vector<double> Norm(const std::vector<double>& x, const TinyVector& w, double eps) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  const double r = 1 / std::sqrt(sum / static_cast<double>(x.size()) + eps);
  std::vector<double> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = x[i] * r * w.values[i];
  return y;
}

}  // namespace

std::unique_ptr<ModelSource> TinyModel::Source() const {
  return std::make_unique<TinySource>(*this);
}

TinyModel MakeTiny(const TinyShape& s) {
  TinyModel model;
  model.shape = s;
  std::mt19937 engine(s.seed * 7919 + 17);
  std::normal_distribution<float> normal(0, 1);
  const auto matrix = [&](const std::string& name, int64_t n, int64_t k) -> TinyMatrix& {
    TinyMatrix& m = model.matrices[name];
    m.n = n, m.k = k;
    m.trits.resize(static_cast<size_t>(n * k));
    for (auto& t : m.trits) t = static_cast<int8_t>(static_cast<int>(engine() % 3) - 1);
    const int64_t groups = s.row_scales ? 2 : 1;
    m.scales.row_group = (n + groups - 1) / groups;
    m.scales.k_group = k;
    for (int64_t g = 0; g < groups; ++g) {
      m.scales.values.push_back(0.03f + 0.01f * static_cast<float>(engine() % 5));
    }
    return m;
  };
  const auto vector = [&](const std::string& name, int64_t rows, int64_t cols, bool near_one) {
    TinyVector& v = model.vectors[name];
    v.rows = rows, v.cols = cols;
    v.values.resize(static_cast<size_t>(rows * cols));
    for (auto& f : v.values) f = near_one ? 1 + 0.2f * normal(engine) : normal(engine);
  };
  vector("token_embd.weight", s.vocabulary, s.hidden, false);
  if (!s.tied) vector("output.weight", s.vocabulary, s.hidden, false);
  vector("output_norm.weight", 1, s.hidden, true);
  const bool sub_norms = s.arch != "llama";
  for (int l = 0; l < s.layers; ++l) {
    const std::string b = Join("blk.", l, ".");
    matrix(b + "attn_q.weight", s.heads * s.head_dim, s.hidden);
    matrix(b + "attn_k.weight", s.kv_heads * s.head_dim, s.hidden);
    matrix(b + "attn_v.weight", s.kv_heads * s.head_dim, s.hidden);
    matrix(b + "attn_output.weight", s.hidden, s.heads * s.head_dim);
    TinyMatrix& gate = matrix(b + "ffn_gate.weight", s.ffn, s.hidden);
    TinyMatrix& up = matrix(b + "ffn_up.weight", s.ffn, s.hidden);
    matrix(b + "ffn_down.weight", s.hidden, s.ffn);
    for (int j = 0; s.dead_every > 0 && j < s.ffn; j += s.dead_every) {
      TinyMatrix& which = j % 2 == 0 ? gate : up;
      std::fill_n(which.trits.begin() + j * s.hidden, s.hidden, int8_t{0});
    }
    vector(b + "attn_norm.weight", 1, s.hidden, true);
    vector(b + "ffn_norm.weight", 1, s.hidden, true);
    if (sub_norms) {
      vector(b + "attn_sub_norm.weight", 1, s.heads * s.head_dim, true);
      vector(b + "ffn_sub_norm.weight", 1, s.ffn, true);
    }
  }
  Metadata& meta = model.metadata;
  meta = Metadata("a tiny model");
  const std::string p = s.arch + ".";
  const auto u32 = [&](const char* key, int value) {
    meta.SetU32(p + key, static_cast<uint32_t>(value));
  };
  meta.SetString("general.architecture", s.arch);
  u32("block_count", s.layers);
  u32("embedding_length", s.hidden);
  u32("feed_forward_length", s.ffn);
  u32("attention.head_count", s.heads);
  u32("attention.head_count_kv", s.kv_heads);
  u32("attention.key_length", s.head_dim);
  u32("attention.value_length", s.head_dim);
  u32("context_length", 512);
  u32("vocab_size", s.vocabulary);
  u32("rope.dimension_count", s.head_dim);
  meta.SetF32(p + "rope.freq_base", 10000.0f);
  meta.SetF32(p + "attention.layer_norm_rms_epsilon", 1e-5f);
  if (!s.activation.empty()) meta.SetString(p + "hidden_activation", s.activation);
  return model;
}

Reference RunReference(const TinyModel& model, const std::vector<int32_t>& tokens) {
  const TinyShape& s = model.shape;
  const double eps = 1e-5f;
  const bool sub_norms = s.arch != "llama";
  const bool silu =
      s.activation.empty() ? s.arch == "llama" || s.arch == "bitnet" : s.activation == "silu";
  // GGUF llama files hold q and k rows permuted: pairs (2i, 2i+1).
  const bool halves = s.halves || s.arch != "llama";
  Reference out;
  const auto rotate = [&](double* head, int position) {
    for (int i = 0; i < s.head_dim / 2; ++i) {
      const double angle = position * std::pow(10000.0, -2.0 * i / s.head_dim);
      double& a = head[halves ? i : 2 * i];
      double& b = head[halves ? i + s.head_dim / 2 : 2 * i + 1];
      const double ra = a * std::cos(angle) - b * std::sin(angle);
      b = b * std::cos(angle) + a * std::sin(angle);
      a = ra;
    }
  };
  std::vector<std::vector<std::vector<double>>> keys(static_cast<size_t>(s.layers)), values(keys);
  for (size_t t = 0; t < tokens.size(); ++t) {
    const auto& embedding = model.vectors.at("token_embd.weight").values;
    std::vector<double> x(embedding.begin() + tokens[t] * s.hidden,
                          embedding.begin() + (tokens[t] + 1) * s.hidden);
    for (int l = 0; l < s.layers; ++l) {
      const std::string b = Join("blk.", l, ".");
      const auto vec = [&](const char* name) -> const TinyVector& {
        return model.vectors.at(b + name + ".weight");
      };
      const auto mul = [&](const char* name, const Quantised& a) {
        return Multiply(model.matrices.at(b + name + ".weight"), a);
      };
      const Quantised a = Quantise(Norm(x, vec("attn_norm"), eps), &out.margin);
      auto q = mul("attn_q", a), k = mul("attn_k", a), v = mul("attn_v", a);
      for (int h = 0; h < s.heads; ++h) rotate(&q[static_cast<size_t>(h * s.head_dim)], int(t));
      for (int h = 0; h < s.kv_heads; ++h) rotate(&k[static_cast<size_t>(h * s.head_dim)], int(t));
      auto& all_k = keys[static_cast<size_t>(l)];
      auto& all_v = values[static_cast<size_t>(l)];
      all_k.push_back(k);
      all_v.push_back(v);
      std::vector<double> o(q.size());
      for (int h = 0; h < s.heads; ++h) {
        const int kv = h / (s.heads / s.kv_heads);
        std::vector<double> p;
        double total = 0;
        for (size_t i = 0; i <= t; ++i) {
          double score = 0;
          for (int d = 0; d < s.head_dim; ++d) {
            score += q[static_cast<size_t>(h * s.head_dim + d)] *
                     all_k[i][static_cast<size_t>(kv * s.head_dim + d)];
          }
          p.push_back(std::exp(score / std::sqrt(s.head_dim)));
          total += p.back();
        }
        for (size_t i = 0; i <= t; ++i) {
          for (int d = 0; d < s.head_dim; ++d) {
            o[static_cast<size_t>(h * s.head_dim + d)] +=
                p[i] / total * all_v[i][static_cast<size_t>(kv * s.head_dim + d)];
          }
        }
      }
      if (sub_norms) o = Norm(o, vec("attn_sub_norm"), eps);
      const auto attended = mul("attn_output", Quantise(o, &out.margin));
      for (size_t i = 0; i < x.size(); ++i) x[i] += attended[i];
      const Quantised f = Quantise(Norm(x, vec("ffn_norm"), eps), &out.margin);
      const auto gate = mul("ffn_gate", f), up = mul("ffn_up", f);
      std::vector<double> h(gate.size());
      for (size_t i = 0; i < h.size(); ++i) {
        const double g = gate[i];
        h[i] = (silu ? g / (1 + std::exp(-g)) : g > 0 ? g * g : 0) * up[i];
      }
      if (sub_norms) h = Norm(h, vec("ffn_sub_norm"), eps);
      const auto down = mul("ffn_down", Quantise(h, &out.margin));
      for (size_t i = 0; i < x.size(); ++i) x[i] += down[i];
    }
    x = Norm(x, model.vectors.at("output_norm.weight"), eps);
    const auto& head = model.vectors.at(s.tied ? "token_embd.weight" : "output.weight").values;
    std::vector<double> logits(static_cast<size_t>(s.vocabulary));
    for (int n = 0; n < s.vocabulary; ++n) {
      for (int i = 0; i < s.hidden; ++i) {
        logits[static_cast<size_t>(n)] +=
            static_cast<double>(head[static_cast<size_t>(n * s.hidden + i)]) *
            x[static_cast<size_t>(i)];
      }
    }
    out.logits.push_back(std::move(logits));
  }
  return out;
}

}  // namespace trit::kit
