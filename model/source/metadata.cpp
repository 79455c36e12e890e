#include "model/source/metadata.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "targets/base/error.h"

namespace trit {
namespace {

template <typename T>
T Load(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

bool IsInteger(MetaType type) {
  return MetaTypeBytes(type) != 0 && type != MetaType::kF32 && type != MetaType::kF64;
}
bool IsSigned(MetaType type) {
  return type == MetaType::kI8 || type == MetaType::kI16 || type == MetaType::kI32 ||
         type == MetaType::kI64;
}

int64_t LoadInteger(MetaType type, const uint8_t* at) {
  switch (type) {
    case MetaType::kU8:
    case MetaType::kBool:
      return *at;
    case MetaType::kI8:
      return Load<int8_t>(at);
    case MetaType::kU16:
      return Load<uint16_t>(at);
    case MetaType::kI16:
      return Load<int16_t>(at);
    case MetaType::kU32:
      return Load<uint32_t>(at);
    case MetaType::kI32:
      return Load<int32_t>(at);
    default:
      return Load<int64_t>(at);
  }
}

template <typename T>
MetaValue NumberArray(MetaType element, std::span<const T> values) {
  auto bytes = std::make_shared<std::vector<uint8_t>>(values.size_bytes());
  if (!values.empty()) std::memcpy(bytes->data(), values.data(), values.size_bytes());
  MetaValue value;
  value.type = MetaType::kArray;
  value.element = element;
  value.count = values.size();
  value.raw = *bytes;
  value.owner = std::move(bytes);
  return value;
}

}  // namespace

const char* MetaTypeName(MetaType type) {
  static constexpr const char* kNames[] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                           "bool", "string", "array", "u64", "i64", "f64"};
  const auto index = static_cast<uint32_t>(type);
  return index < std::size(kNames) ? kNames[index] : "unknown";
}

size_t MetaTypeBytes(MetaType type) {
  static constexpr uint8_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  const auto index = static_cast<uint32_t>(type);
  return index < std::size(kBytes) ? kBytes[index] : 0;
}

const MetaValue* Metadata::Peek(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

const MetaValue* Metadata::Find(std::string_view key) const {
  if (!consulted_.contains(key)) consulted_.emplace(key);
  return Peek(key);
}

const MetaValue& Metadata::Need(std::string_view key) const {
  const MetaValue* value = Find(key);
  if (value == nullptr) throw Error(Join(origin_, ": the key ", key, " is missing"));
  return *value;
}

void Metadata::WrongType(std::string_view key, const MetaValue& found,
                         std::string_view wanted) const {
  std::string what = MetaTypeName(found.type);
  if (found.type == MetaType::kArray) what += Join(" of ", MetaTypeName(found.element));
  throw Error(Join(origin_, ": the key ", key, " should be ", wanted, " and is ", what));
}

bool Metadata::Has(std::string_view key) const {
  return Find(key) != nullptr;
}

int64_t Metadata::I64(std::string_view key) const {
  const MetaValue& value = Need(key);
  if (!IsInteger(value.type)) WrongType(key, value, "an integer");
  if (!IsSigned(value.type) && value.integer > uint64_t{std::numeric_limits<int64_t>::max()}) {
    throw Error(Join(origin_, ": the key ", key, " is ", value.integer, ", more than fits"));
  }
  return static_cast<int64_t>(value.integer);
}

uint64_t Metadata::U64(std::string_view key) const {
  const MetaValue& value = Need(key);
  if (!IsInteger(value.type)) WrongType(key, value, "an unsigned integer");
  if (IsSigned(value.type) && static_cast<int64_t>(value.integer) < 0) {
    throw Error(Join(origin_, ": the key ", key, " is negative"));
  }
  return value.integer;
}

uint32_t Metadata::U32(std::string_view key) const {
  const uint64_t value = U64(key);
  if (value > std::numeric_limits<uint32_t>::max()) {
    throw Error(Join(origin_, ": the key ", key, " is ", value, ", more than 32 bits hold"));
  }
  return static_cast<uint32_t>(value);
}

float Metadata::F32(std::string_view key) const {
  const MetaValue& value = Need(key);
  if (value.type == MetaType::kF32 || value.type == MetaType::kF64) {
    return static_cast<float>(value.real);
  }
  if (!IsInteger(value.type)) WrongType(key, value, "a number");
  return IsSigned(value.type) ? static_cast<float>(static_cast<int64_t>(value.integer))
                              : static_cast<float>(value.integer);
}

bool Metadata::Bool(std::string_view key) const {
  const MetaValue& value = Need(key);
  if (value.type != MetaType::kBool) WrongType(key, value, "a bool");
  return value.integer != 0;
}

const std::string& Metadata::String(std::string_view key) const {
  const MetaValue& value = Need(key);
  if (value.type != MetaType::kString) WrongType(key, value, "a string");
  return value.text;
}

uint32_t Metadata::U32Or(std::string_view key, uint32_t otherwise) const {
  return Has(key) ? U32(key) : otherwise;
}
float Metadata::F32Or(std::string_view key, float otherwise) const {
  return Has(key) ? F32(key) : otherwise;
}
bool Metadata::BoolOr(std::string_view key, bool otherwise) const {
  return Has(key) ? Bool(key) : otherwise;
}
std::string Metadata::StringOr(std::string_view key, std::string_view otherwise) const {
  return Has(key) ? String(key) : std::string(otherwise);
}
std::optional<uint32_t> Metadata::FindU32(std::string_view key) const {
  if (!Has(key)) return std::nullopt;
  return U32(key);
}

std::vector<std::string_view> Metadata::Strings(std::string_view key) const {
  const MetaValue& value = Need(key);
  if (value.type != MetaType::kArray || value.element != MetaType::kString) {
    WrongType(key, value, "an array of strings");
  }
  std::vector<std::string_view> out;
  out.reserve(value.count);
  // Lengths were checked when the array was read (or made here).
  const uint8_t* at = value.raw.data();
  for (uint64_t i = 0; i < value.count; ++i) {
    const auto length = Load<uint64_t>(at);
    out.emplace_back(reinterpret_cast<const char*>(at) + 8, length);
    at += 8 + length;
  }
  return out;
}

std::vector<float> Metadata::F32s(std::string_view key) const {
  const MetaValue& value = Need(key);
  if (value.type != MetaType::kArray || value.element == MetaType::kString ||
      value.element == MetaType::kArray) {
    WrongType(key, value, "an array of numbers");
  }
  std::vector<float> out(value.count);
  const size_t step = MetaTypeBytes(value.element);
  for (uint64_t i = 0; i < value.count; ++i) {
    const uint8_t* at = value.raw.data() + i * step;
    out[i] = value.element == MetaType::kF32   ? Load<float>(at)
             : value.element == MetaType::kF64 ? static_cast<float>(Load<double>(at))
                                               : static_cast<float>(LoadInteger(value.element, at));
  }
  return out;
}

std::vector<int64_t> Metadata::I64s(std::string_view key) const {
  const MetaValue& value = Need(key);
  if (value.type != MetaType::kArray || !IsInteger(value.element)) {
    WrongType(key, value, "an array of integers");
  }
  std::vector<int64_t> out(value.count);
  const size_t step = MetaTypeBytes(value.element);
  for (uint64_t i = 0; i < value.count; ++i) {
    out[i] = LoadInteger(value.element, value.raw.data() + i * step);
  }
  return out;
}

std::vector<std::string> Metadata::Unconsulted(std::string_view prefix) const {
  std::vector<std::string> out;
  for (const std::string& key : order_) {
    if (key.starts_with(prefix) && !consulted_.contains(key)) out.push_back(key);
  }
  return out;
}

bool Metadata::Set(std::string_view key, MetaValue value) {
  const auto [at, added] = values_.insert_or_assign(std::string(key), std::move(value));
  if (added) order_.emplace_back(key);
  return added;
}

void Metadata::Erase(std::string_view key) {
  const auto found = values_.find(key);
  if (found == values_.end()) return;
  values_.erase(found);
  order_.erase(std::find(order_.begin(), order_.end(), key));
}

void Metadata::SetU32(std::string_view key, uint32_t number) {
  MetaValue value;
  value.integer = number;
  Set(key, std::move(value));
}
void Metadata::SetF32(std::string_view key, float number) {
  MetaValue value;
  value.type = MetaType::kF32;
  value.real = number;
  Set(key, std::move(value));
}
void Metadata::SetBool(std::string_view key, bool truth) {
  MetaValue value;
  value.type = MetaType::kBool;
  value.integer = truth ? 1 : 0;
  Set(key, std::move(value));
}
void Metadata::SetString(std::string_view key, std::string_view text) {
  MetaValue value;
  value.type = MetaType::kString;
  value.text = text;
  Set(key, std::move(value));
}
void Metadata::SetF32s(std::string_view key, std::span<const float> values) {
  Set(key, NumberArray(MetaType::kF32, values));
}
void Metadata::SetI32s(std::string_view key, std::span<const int32_t> values) {
  Set(key, NumberArray(MetaType::kI32, values));
}

void Metadata::SetStrings(std::string_view key, std::span<const std::string> values) {
  size_t total = 0;
  for (const std::string& text : values) total += 8 + text.size();
  auto bytes = std::make_shared<std::vector<uint8_t>>(total);
  uint8_t* at = bytes->data();
  for (const std::string& text : values) {
    const uint64_t length = text.size();
    std::memcpy(at, &length, 8);
    if (length != 0) std::memcpy(at + 8, text.data(), length);
    at += 8 + length;
  }
  MetaValue value;
  value.type = MetaType::kArray;
  value.element = MetaType::kString;
  value.count = values.size();
  value.raw = *bytes;
  value.owner = std::move(bytes);
  Set(key, std::move(value));
}

}  // namespace trit
