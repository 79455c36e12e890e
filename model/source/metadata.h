// The key/value description of a model, under GGUF's names whatever file it came from.
//
// Every typed getter either returns the value or throws an Error that names the key, the file and
// what was found instead. Getters write down which keys they were asked for, so that a loader can
// afterwards list the keys nobody understood (Unconsulted) and refuse those that change the result.
// Not thread-safe: models are opened by one thread.
//
// Arrays stay in their serialised little-endian form (GGUF's: numbers back to back; strings as a
// u64 length and the bytes) inside the mapped file and are decoded when asked for: a vocabulary of
// 280 thousand merges costs nothing to a command that does not tokenize.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trit {

// GGUF's value types with their ids.
enum class MetaType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

const char* MetaTypeName(MetaType type);
// Bytes of a number or a bool; 0 for strings and arrays.
size_t MetaTypeBytes(MetaType type);

struct MetaValue {
  MetaType type = MetaType::kU32;
  uint64_t integer = 0;  // unsigned and bool as they are, signed as two's complement of 64 bits
  double real = 0;       // f32, f64
  std::string text;      // string
  // Arrays of numbers or strings; `raw` is their serialised form, kept alive by `owner` or the
  // file.
  MetaType element = MetaType::kU32;
  uint64_t count = 0;
  std::span<const uint8_t> raw;
  std::shared_ptr<const std::vector<uint8_t>> owner;
};

class Metadata {
 public:
  // `origin` begins every error sentence: the file's or folder's name.
  explicit Metadata(std::string origin = "") : origin_(std::move(origin)) {}

  const std::string& origin() const { return origin_; }
  bool Has(std::string_view key) const;  // counts as consulted

  // Integers of any width that hold the value; a float where an integer stands is taken as well.
  uint32_t U32(std::string_view key) const;
  uint64_t U64(std::string_view key) const;
  int64_t I64(std::string_view key) const;
  float F32(std::string_view key) const;
  bool Bool(std::string_view key) const;
  const std::string& String(std::string_view key) const;
  uint32_t U32Or(std::string_view key, uint32_t otherwise) const;
  float F32Or(std::string_view key, float otherwise) const;
  bool BoolOr(std::string_view key, bool otherwise) const;
  std::string StringOr(std::string_view key, std::string_view otherwise) const;
  std::optional<uint32_t> FindU32(std::string_view key) const;
  // Views live as long as the model source (or this object, for values set here).
  std::vector<std::string_view> Strings(std::string_view key) const;
  std::vector<float> F32s(std::string_view key) const;
  std::vector<int64_t> I64s(std::string_view key) const;

  // Keys that begin with `prefix` and that no getter was asked for, in the file's order.
  std::vector<std::string> Unconsulted(std::string_view prefix) const;

  void SetU32(std::string_view key, uint32_t value);
  void SetF32(std::string_view key, float value);
  void SetBool(std::string_view key, bool value);
  void SetString(std::string_view key, std::string_view value);
  void SetStrings(std::string_view key, std::span<const std::string> values);
  void SetF32s(std::string_view key, std::span<const float> values);
  void SetI32s(std::string_view key, std::span<const int32_t> values);
  // Adds or replaces. Returns false when the key was there already.
  bool Set(std::string_view key, MetaValue value);
  void Erase(std::string_view key);

  // In the order of the file; does not count as consulting.
  const std::vector<std::string>& keys() const { return order_; }
  const MetaValue* Peek(std::string_view key) const;

 private:
  const MetaValue* Find(std::string_view key) const;
  const MetaValue& Need(std::string_view key) const;
  [[noreturn]] void WrongType(std::string_view key, const MetaValue& found,
                              std::string_view wanted) const;

  std::string origin_;
  std::vector<std::string> order_;
  std::map<std::string, MetaValue, std::less<>> values_;
  mutable std::set<std::string, std::less<>> consulted_;
};

}  // namespace trit
