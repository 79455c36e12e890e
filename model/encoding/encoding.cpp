#include "model/encoding/encoding.h"

#include <algorithm>
#include <cstring>

namespace trit {

#define TERNARY(symbol) extern const TernaryEncoding symbol;
#define DENSE(symbol) extern const DenseEncoding symbol;
#include "model/encoding/encodings.inc"
#undef TERNARY
#undef DENSE

std::span<const TernaryEncoding* const> TernaryEncodings() {
  static const TernaryEncoding* const kTable[] = {
#define TERNARY(symbol) &symbol,
#define DENSE(symbol)
#include "model/encoding/encodings.inc"
#undef TERNARY
#undef DENSE
  };
  return kTable;
}

std::span<const DenseEncoding* const> DenseEncodings() {
  static const DenseEncoding* const kTable[] = {
#define TERNARY(symbol)
#define DENSE(symbol) &symbol,
#include "model/encoding/encodings.inc"
#undef TERNARY
#undef DENSE
  };
  return kTable;
}

const TernaryEncoding* FindTernaryEncoding(uint32_t ggml_id, std::string_view order) {
  for (const TernaryEncoding* entry : TernaryEncodings()) {
    if (entry->ggml_id != ggml_id) continue;
    if (*entry->order == '\0' || order == entry->order) return entry;
  }
  return nullptr;
}

const TernaryEncoding* FindTernaryEncoding(std::string_view name) {
  for (const TernaryEncoding* entry : TernaryEncodings()) {
    if (name == entry->name) return entry;
  }
  return nullptr;
}

const DenseEncoding* FindDenseEncoding(uint32_t ggml_id) {
  for (const DenseEncoding* entry : DenseEncodings()) {
    if (static_cast<uint32_t>(entry->type) == ggml_id) return entry;
  }
  return nullptr;
}

const DenseEncoding* FindDenseEncoding(std::string_view name) {
  for (const DenseEncoding* entry : DenseEncodings()) {
    if (name == entry->name) return entry;
  }
  return nullptr;
}

namespace {
template <typename Table>
std::string Names(const Table& table, bool writable_only) {
  std::string out;
  std::string_view last;
  for (const auto* entry : table) {
    if ((writable_only && entry->write == nullptr) || last == entry->name) continue;
    if (!out.empty()) out += ", ";
    out += last = entry->name;
  }
  return out;
}
}  // namespace

std::string TernaryEncodingNames(bool writable_only) {
  return Names(TernaryEncodings(), writable_only);
}
std::string DenseEncodingNames(bool writable_only) {
  return Names(DenseEncodings(), writable_only);
}

std::string RefusedTypeReason(uint32_t ggml_id) {
  switch (ggml_id) {
    case 37:
      return "I8_S holds int8 activations, not weights";
    case 38:
    case 39:
      return "TL1 and TL2 files are laid out for one CPU's kernels and one model's tile sizes, "
             "which "
             "the file does not record; convert the original checkpoint instead: trit convert "
             "HF_FOLDER --type i2_s -o model.gguf";
    case 41:
      return "Q1_0 is a binary encoding, not a ternary one";
    default:
      return "";
  }
}

TernaryScales MergeScales(TernaryScales scales, int64_t n, int64_t k) {
  std::vector<float>& values = scales.values;
  if (values.empty()) return scales;
  const auto same = [](float a, float b) { return std::memcmp(&a, &b, sizeof(float)) == 0; };
  // Along K: the widest run of whole groups that are equal and divide the row.
  const int64_t groups = scales.GroupsPerRow(k);
  const int64_t rows = static_cast<int64_t>(values.size()) / groups;
  if (groups > 1) {
    for (int64_t run = groups; run > 1; --run) {
      if (groups % run != 0) continue;
      bool equal = true;
      for (size_t i = 0; equal && i < values.size(); i += static_cast<size_t>(run)) {
        for (int64_t j = 1; equal && j < run; ++j) equal = same(values[i], values[i + j]);
      }
      if (!equal) continue;
      for (size_t i = 0; i * run < values.size(); ++i) values[i] = values[i * run];
      values.resize(values.size() / run);
      scales.k_group = run == groups ? k : scales.k_group * run;
      break;
    }
  }
  // Down the rows: all equal, or the largest run of equal rows that divides their number.
  const int64_t per_row = static_cast<int64_t>(values.size()) / rows;
  int64_t run = rows;
  for (int64_t r = 1; r < rows; ++r) {
    if (std::memcmp(&values[r * per_row], &values[(r - 1) * per_row], per_row * sizeof(float)) !=
        0) {
      run = r;
      break;
    }
  }
  for (; run > 1; --run) {
    if (rows % run != 0) continue;
    bool equal = true;
    for (int64_t r = 0; equal && r < rows; ++r) {
      equal = std::memcmp(&values[r * per_row], &values[r / run * run * per_row],
                          per_row * sizeof(float)) == 0;
    }
    if (equal) break;
  }
  if (run > 1) {
    for (int64_t r = 0; r * run < rows; ++r) {
      std::memmove(&values[r * per_row], &values[r * run * per_row], per_row * sizeof(float));
    }
    values.resize(rows / run * per_row);
    scales.row_group = rows == run ? n : scales.row_group * run;
  }
  if (values.size() == 1) {
    scales.row_group = n;
    scales.k_group = k;
  }
  return scales;
}

}  // namespace trit
