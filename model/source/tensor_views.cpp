#include "model/source/tensor_views.h"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <vector>

#include "targets/base/error.h"

namespace trit {
namespace {

ContentHash HashOf(std::string_view what, std::span<const uint8_t> bytes) {
  const XXH64_hash_t seed = XXH3_64bits(what.data(), what.size());
  const XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.data(), bytes.size(), seed);
  return {hash.low64, hash.high64};
}

void CheckRows(const std::string& name, int64_t rows, int64_t begin, int64_t end) {
  if (begin < 0 || begin > end || end > rows) {
    throw Error(
        Join("tensor ", name, ": rows ", begin, " to ", end, " were asked for and it has ", rows));
  }
}

class EncodedTernary : public TernaryTensor {
 public:
  EncodedTernary(std::string name, const TernaryEncoding& encoding, FileBytes bytes, int64_t n,
                 int64_t k, float factor)
      : name_(std::move(name)), encoding_(encoding), bytes_(bytes), n_(n), k_(k), factor_(factor) {}

  const std::string& name() const override { return name_; }
  int64_t n() const override { return n_; }
  int64_t k() const override { return k_; }
  std::string encoding() const override { return encoding_.name; }

  void ReadTrits(int64_t begin, int64_t end, int8_t* out) const override {
    CheckRows(name_, n_, begin, end);
    if (!encoding_.read(bytes_.bytes.data(), n_, k_, begin, end, out)) {
      throw Error(Join("tensor ", name_, " is said to be ternary (", encoding_.name,
                       ") but holds a code that is no trit in rows ", begin, " to ", end - 1,
                       *encoding_.order != '\0' ? "; the file may be damaged or written in another "
                                                  "order, see --i2s-order"
                                                : ""));
    }
  }

  TernaryScales Scales() const override {
    TernaryScales scales = MergeScales(encoding_.scales(bytes_.bytes.data(), n_, k_), n_, k_);
    for (float& value : scales.values) {
      if (factor_ != 1.0f) value *= factor_;
      if (!std::isfinite(value)) {
        throw Error(Join("tensor ", name_, " has a scale that is not a finite number"));
      }
    }
    return scales;
  }

  ContentHash Hash() const override {
    return HashOf(Join(encoding_.name, "/", encoding_.order, "/", n_, "/", k_, "/", factor_),
                  bytes_.bytes);
  }

  void DropPages(int64_t begin, int64_t end) const override {
    const auto total = static_cast<__int128>(bytes_.bytes.size());
    bytes_.Drop(static_cast<uint64_t>(total * begin / n_), static_cast<uint64_t>(total * end / n_));
  }

 private:
  std::string name_;
  const TernaryEncoding& encoding_;
  FileBytes bytes_;
  int64_t n_, k_;
  float factor_;
};

class HfPackedTernary : public TernaryTensor {
 public:
  HfPackedTernary(std::string name, FileBytes bytes, int64_t n, int64_t k, TernaryScales scales)
      : name_(std::move(name)), bytes_(bytes), n_(n), k_(k), scales_(std::move(scales)) {}

  const std::string& name() const override { return name_; }
  int64_t n() const override { return n_; }
  int64_t k() const override { return k_; }
  std::string encoding() const override { return "packed uint8"; }

  void ReadTrits(int64_t begin, int64_t end, int8_t* out) const override {
    CheckRows(name_, n_, begin, end);
    const int64_t quarter = n_ / 4;
    uint8_t threes = 0;
    for (int64_t r = begin; r < end; ++r, out += k_) {
      const uint8_t* row = bytes_.bytes.data() + r % quarter * k_;
      const int shift = static_cast<int>(2 * (r / quarter));
      uint8_t bad = 0;
      for (int64_t c = 0; c < k_; ++c) {
        const uint8_t code = row[c] >> shift & 3;
        bad |= code & (code >> 1);
        out[c] = static_cast<int8_t>(code - 1);
      }
      threes |= bad;
    }
    if ((threes & 1) != 0) {
      throw Error(Join("tensor ", name_,
                       " is said to be ternary (packed uint8) but holds code 3, "
                       "which is no trit, in rows ",
                       begin, " to ", end - 1));
    }
  }

  TernaryScales Scales() const override { return scales_; }

  ContentHash Hash() const override {
    const uint64_t scales =
        XXH3_64bits(scales_.values.data(), scales_.values.size() * sizeof(float));
    return HashOf(Join("hf-packed/", n_, "/", k_, "/", scales), bytes_.bytes);
  }

  // A byte holds four rows that are a quarter of the matrix apart: pages are dropped with the last.
  void DropPages(int64_t begin, int64_t end) const override {
    const int64_t quarter = n_ / 4, last = 3 * quarter;
    if (end <= last) return;
    bytes_.Drop((std::max(begin, last) - last) * k_, (end - last) * k_);
  }

 private:
  std::string name_;
  FileBytes bytes_;
  int64_t n_, k_;
  TernaryScales scales_;
};

class FloatTernary : public TernaryTensor {
 public:
  FloatTernary(std::string name, std::shared_ptr<const DenseTensor> values, bool absmean,
               float factor)
      : name_(std::move(name)), values_(std::move(values)), absmean_(absmean), factor_(factor) {}

  const std::string& name() const override { return name_; }
  int64_t n() const override { return values_->rows(); }
  int64_t k() const override { return values_->cols(); }
  std::string encoding() const override {
    Analyse();
    return Join(values_->encoding(), ternary_already_ ? " holding trits" : " masters, absmean");
  }

  void ReadTrits(int64_t begin, int64_t end, int8_t* out) const override {
    CheckRows(name_, n(), begin, end);
    Analyse();
    std::vector<float> rows(static_cast<size_t>((end - begin) * k()));
    values_->ReadRowsF32(begin, end, rows.data());
    // Ternary already: the sign. Masters: W s rounded half to even; |W s| >= 1.5 is clamped anyway,
    // so "rounds to at least 1" is |W s| > 0.5 (0.5 itself goes to 0, the even one).
    const float inverse = ternary_already_ ? INFINITY : inverse_;
    for (size_t i = 0; i < rows.size(); ++i) {
      const float scaled = ternary_already_ ? rows[i] : rows[i] * inverse;
      const float limit = ternary_already_ ? 0.0f : 0.5f;
      out[i] = static_cast<int8_t>((scaled > limit) - (scaled < -limit));
    }
  }

  TernaryScales Scales() const override {
    Analyse();
    TernaryScales scales = scales_;
    for (float& value : scales.values) value *= factor_;
    return scales;
  }

  ContentHash Hash() const override {
    const ContentHash inner = values_->Hash();
    return HashOf(Join("float/", absmean_ ? 1 : 0, "/", factor_, "/", inner.low, "/", inner.high),
                  {});
  }

  void DropPages(int64_t begin, int64_t end) const override { values_->DropPages(begin, end); }

 private:
  // One pass: is every row {-s, 0, s}? And the mean of |W|, summed in double, row after row.
  void Analyse() const {
    std::call_once(once_, [this] {
      std::vector<float> row_scale(static_cast<size_t>(n()));
      std::vector<float> row(static_cast<size_t>(k()));
      double sum = 0;
      int64_t odd_row = -1;
      for (int64_t r = 0; r < n(); ++r) {
        values_->ReadRowsF32(r, r + 1, row.data());
        values_->DropPages(r, r + 1);
        float largest = 0;
        double row_sum = 0;
        for (const float w : row) {
          if (!std::isfinite(w)) {
            throw Error(Join("tensor ", name_, ": row ", r, " holds a value that is not finite"));
          }
          largest = std::max(largest, std::fabs(w));
          row_sum += std::fabs(w);
        }
        sum += row_sum;
        row_scale[r] = largest;
        for (const float w : row) {
          if (w != 0 && std::fabs(w) != largest && odd_row < 0) odd_row = r;
        }
      }
      ternary_already_ = odd_row < 0;
      if (ternary_already_) {
        // A row of zeros has any scale: its neighbour's, so that one scale stays one.
        float last = *std::max_element(row_scale.begin(), row_scale.end());
        for (const float s : row_scale) {
          if (s != 0) {
            last = s;
            break;
          }
        }
        for (float& s : row_scale) last = s = s != 0 ? s : last;
        scales_ = MergeScales({1, k(), std::move(row_scale)}, n(), k());
        return;
      }
      if (!absmean_) {
        throw Error(Join("tensor ", name_, " is said to be ternary but is not: row ", odd_row,
                         " holds more than {-s, 0, s}, and the model does not say that its weights "
                         "are masters to be quantised"));
      }
      const auto mean = static_cast<float>(sum / (static_cast<double>(n()) * k()));
      inverse_ = 1.0f / std::max(mean, 1e-5f);
      scales_ = {n(), k(), {1.0f / inverse_}};
    });
  }

  std::string name_;
  std::shared_ptr<const DenseTensor> values_;
  bool absmean_;
  float factor_;
  mutable std::once_flag once_;
  mutable bool ternary_already_ = false;
  mutable float inverse_ = 1;
  mutable TernaryScales scales_;
};

class EncodedDense : public DenseTensor {
 public:
  EncodedDense(std::string name, const DenseEncoding& encoding, FileBytes bytes, int64_t rows,
               int64_t cols)
      : name_(std::move(name)), encoding_(encoding), bytes_(bytes), rows_(rows), cols_(cols) {}

  const std::string& name() const override { return name_; }
  DenseType type() const override { return encoding_.type; }
  std::string encoding() const override { return encoding_.name; }
  int64_t rows() const override { return rows_; }
  int64_t cols() const override { return cols_; }
  std::span<const uint8_t> bytes() const override { return bytes_.bytes; }
  int64_t row_bytes() const override { return cols_ / encoding_.block * encoding_.block_bytes; }
  void ReadRowsF32(int64_t begin, int64_t end, float* out) const override {
    CheckRows(name_, rows_, begin, end);
    encoding_.read(bytes_.bytes.data() + begin * row_bytes(),
                   static_cast<uint64_t>((end - begin) * cols_), out);
  }
  ContentHash Hash() const override {
    return HashOf(Join(encoding_.name, "/", rows_, "/", cols_), bytes_.bytes);
  }
  void DropPages(int64_t begin, int64_t end) const override {
    bytes_.Drop(begin * row_bytes(), end * row_bytes());
  }

 private:
  std::string name_;
  const DenseEncoding& encoding_;
  FileBytes bytes_;
  int64_t rows_, cols_;
};

class TernaryAsDense : public DenseTensor {
 public:
  explicit TernaryAsDense(std::unique_ptr<TernaryTensor> ternary)
      : ternary_(std::move(ternary)), scales_(ternary_->Scales()) {}

  const std::string& name() const override { return ternary_->name(); }
  DenseType type() const override { return DenseType::kTernary; }
  std::string encoding() const override { return ternary_->encoding(); }
  int64_t rows() const override { return ternary_->n(); }
  int64_t cols() const override { return ternary_->k(); }
  std::span<const uint8_t> bytes() const override { return {}; }
  int64_t row_bytes() const override { return 0; }
  void ReadRowsF32(int64_t begin, int64_t end, float* out) const override {
    const int64_t k = cols(), groups = scales_.GroupsPerRow(k);
    std::vector<int8_t> trits(static_cast<size_t>((end - begin) * k));
    ternary_->ReadTrits(begin, end, trits.data());
    for (int64_t r = begin; r < end; ++r) {
      const float* scale = scales_.values.data() + r / scales_.row_group * groups;
      for (int64_t c = 0; c < k; ++c) {
        const int64_t i = (r - begin) * k + c;
        out[i] = static_cast<float>(trits[i]) * scale[c / scales_.k_group];
      }
    }
  }
  ContentHash Hash() const override { return ternary_->Hash(); }
  void DropPages(int64_t begin, int64_t end) const override { ternary_->DropPages(begin, end); }

 private:
  std::unique_ptr<TernaryTensor> ternary_;
  TernaryScales scales_;
};

}  // namespace

std::string ContentHash::Hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const uint64_t part : {high, low}) {
    for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[part >> shift & 15];
  }
  return out;
}

std::unique_ptr<TernaryTensor> MakeEncodedTernary(std::string name, const TernaryEncoding& encoding,
                                                  FileBytes bytes, int64_t n, int64_t k,
                                                  float factor) {
  return std::make_unique<EncodedTernary>(std::move(name), encoding, bytes, n, k, factor);
}

std::unique_ptr<TernaryTensor> MakeHfPackedTernary(std::string name, FileBytes bytes, int64_t n,
                                                   int64_t k, TernaryScales scales) {
  return std::make_unique<HfPackedTernary>(std::move(name), bytes, n, k,
                                           MergeScales(std::move(scales), n, k));
}

std::unique_ptr<TernaryTensor> MakeFloatTernary(std::string name,
                                                std::shared_ptr<const DenseTensor> values,
                                                bool absmean, float factor) {
  return std::make_unique<FloatTernary>(std::move(name), std::move(values), absmean, factor);
}

std::unique_ptr<DenseTensor> MakeDense(std::string name, const DenseEncoding& encoding,
                                       FileBytes bytes, int64_t rows, int64_t cols) {
  return std::make_unique<EncodedDense>(std::move(name), encoding, bytes, rows, cols);
}

std::unique_ptr<DenseTensor> MakeTernaryAsDense(std::unique_ptr<TernaryTensor> ternary) {
  return std::make_unique<TernaryAsDense>(std::move(ternary));
}

}  // namespace trit
