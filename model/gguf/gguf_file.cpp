#include "model/gguf/gguf_file.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr uint64_t kMaxKeyBytes = 65535, kMaxNameBytes = 1024, kMaxDim = 0x7fffffff;

// Reads forward and never past the end. Every failure names the file and what was being read.
class Cursor {
 public:
  Cursor(std::span<const uint8_t> bytes, const std::string& origin)
      : bytes_(bytes), origin_(origin) {}

  uint64_t at() const { return at_; }
  uint64_t left() const { return bytes_.size() - at_; }
  [[noreturn]] void Fail(const std::string& what) const {
    throw Error(Join(origin_, " is not a sound GGUF file: ", what));
  }
  std::span<const uint8_t> Take(uint64_t count, const std::string& what) {
    if (count > left()) {
      Fail(Join("it ends inside ", what, " (", count, " bytes wanted at byte ", at_, ", ", left(),
                " are left)"));
    }
    const auto out = bytes_.subspan(at_, count);
    at_ += count;
    return out;
  }
  template <typename T>
  T Number(const std::string& what) {
    T value;
    std::memcpy(&value, Take(sizeof(T), what).data(), sizeof(T));
    return value;
  }
  std::string_view String(const std::string& what, uint64_t limit) {
    const auto length = Number<uint64_t>(what);
    if (length > limit) Fail(Join(what, " claims a length of ", length, " bytes"));
    const auto text = Take(length, what);
    return {reinterpret_cast<const char*>(text.data()), text.size()};
  }

 private:
  std::span<const uint8_t> bytes_;
  const std::string& origin_;
  uint64_t at_ = 0;
};

MetaType CheckedType(const Cursor& in, uint32_t type, const std::string& what) {
  if (type > static_cast<uint32_t>(MetaType::kF64)) {
    in.Fail(Join(what, " has the unknown type ", type));
  }
  return static_cast<MetaType>(type);
}

void ReadNumber(Cursor& in, const std::string& what, MetaValue* value) {
  switch (value->type) {
    case MetaType::kU8:
      value->integer = in.Number<uint8_t>(what);
      break;
    case MetaType::kI8:
      value->integer = static_cast<uint64_t>(int64_t{in.Number<int8_t>(what)});
      break;
    case MetaType::kU16:
      value->integer = in.Number<uint16_t>(what);
      break;
    case MetaType::kI16:
      value->integer = static_cast<uint64_t>(int64_t{in.Number<int16_t>(what)});
      break;
    case MetaType::kU32:
      value->integer = in.Number<uint32_t>(what);
      break;
    case MetaType::kI32:
      value->integer = static_cast<uint64_t>(int64_t{in.Number<int32_t>(what)});
      break;
    case MetaType::kF32:
      value->real = in.Number<float>(what);
      break;
    case MetaType::kBool: {
      const auto byte = in.Number<uint8_t>(what);
      if (byte > 1) in.Fail(Join(what, " is a bool of value ", uint32_t{byte}));
      value->integer = byte;
      break;
    }
    case MetaType::kU64:
      value->integer = in.Number<uint64_t>(what);
      break;
    case MetaType::kI64:
      value->integer = static_cast<uint64_t>(in.Number<int64_t>(what));
      break;
    case MetaType::kF64:
      value->real = in.Number<double>(what);
      break;
    case MetaType::kString:
    case MetaType::kArray:
      break;
  }
}

MetaValue ReadValue(Cursor& in, std::span<const uint8_t> file, const std::string& what) {
  MetaValue value;
  value.type = CheckedType(in, in.Number<uint32_t>(what), what);
  if (value.type == MetaType::kString) {
    value.text = in.String(what, in.left());
    return value;
  }
  if (value.type != MetaType::kArray) {
    ReadNumber(in, what, &value);
    return value;
  }
  value.element = CheckedType(in, in.Number<uint32_t>(what), what);
  value.count = in.Number<uint64_t>(what);
  if (value.element == MetaType::kArray) in.Fail(what + " is an array of arrays");
  const uint64_t begin = in.at();
  if (value.element == MetaType::kString) {
    if (value.count > in.left() / 8) {
      in.Fail(Join(what, " claims ", value.count, " strings, more than the file has room for"));
    }
    for (uint64_t i = 0; i < value.count; ++i) in.String(what, in.left());
  } else {
    const uint64_t size = MetaTypeBytes(value.element);
    if (value.count > in.left() / size) {
      in.Fail(Join(what, " claims ", value.count, " elements, more than the file has room for"));
    }
    in.Take(value.count * size, what);
  }
  value.raw = file.subspan(begin, in.at() - begin);
  return value;
}

uint32_t Alignment(const Cursor& in, const Metadata& metadata) {
  if (metadata.Peek("general.alignment") == nullptr) return 32;
  const uint64_t alignment = metadata.U64("general.alignment");
  if (!std::has_single_bit(alignment) || alignment < 8 || alignment > 1u << 20) {
    in.Fail(Join("general.alignment is ", alignment, ", not a power of two from 8 to 2^20"));
  }
  return static_cast<uint32_t>(alignment);
}

GgufTensor ReadTensorInfo(Cursor& in, std::string_view i2s_order) {
  GgufTensor tensor;
  tensor.name = in.String("a tensor's name", kMaxNameBytes);
  const std::string what = Join("the description of tensor ", tensor.name);
  const auto dims = in.Number<uint32_t>(what);
  if (dims < 1 || dims > 4) in.Fail(Join("tensor ", tensor.name, " has ", dims, " dimensions"));
  uint64_t elements = 1;
  for (uint32_t d = 0; d < dims; ++d) {
    const auto dim = in.Number<uint64_t>(what);
    if (dim < 1 || dim > kMaxDim) {
      in.Fail(Join("tensor ", tensor.name, " has a dimension of ", dim));
    }
    // At most 2^31 each and 2^48 in all: no later product of sizes can overflow 64 bits.
    if (elements > (uint64_t{1} << 48) / dim) {
      in.Fail(Join("tensor ", tensor.name, " has more than 2^48 elements"));
    }
    elements *= dim;
    tensor.dims.push_back(dim);
  }
  tensor.cols = static_cast<int64_t>(tensor.dims[0]);
  tensor.rows = static_cast<int64_t>(elements / tensor.dims[0]);
  tensor.type = in.Number<uint32_t>(what);
  tensor.offset = in.Number<uint64_t>(what);
  tensor.ternary = FindTernaryEncoding(tensor.type, i2s_order);
  tensor.dense = FindDenseEncoding(tensor.type);
  const uint64_t n = static_cast<uint64_t>(tensor.rows), k = static_cast<uint64_t>(tensor.cols);
  if (tensor.ternary != nullptr) {
    tensor.bytes = tensor.ternary->bytes(n, k);
    if (tensor.bytes == 0) {
      in.Fail(Join("tensor ", tensor.name, " is ", n, " x ", k, ", but ", tensor.ternary->name, " ",
                   tensor.ternary->shape_rule));
    }
  } else if (tensor.dense != nullptr) {
    if (k % tensor.dense->block != 0) {
      in.Fail(Join("tensor ", tensor.name, " has rows of ", k, ", but ", tensor.dense->name,
                   " needs a multiple of ", tensor.dense->block));
    }
    tensor.bytes = n * (k / tensor.dense->block) * tensor.dense->block_bytes;
  } else {
    const std::string reason = RefusedTypeReason(tensor.type);
    in.Fail(Join("tensor ", tensor.name, " has type ", tensor.type,
                 reason.empty() ? Join(", which is unknown; known are ",
                                       TernaryEncodingNames(false), ", ", DenseEncodingNames(false))
                                : Join(", which is refused: ", reason)));
  }
  return tensor;
}

// Turns offsets into positions in the file and checks extents.
void PlaceTensors(const Cursor& in, uint64_t data_begin, uint64_t file_bytes, GgufFile* file) {
  for (GgufTensor& tensor : file->tensors) {
    if (tensor.offset % file->alignment != 0) {
      in.Fail(Join("tensor ", tensor.name, " begins at offset ", tensor.offset,
                   ", no multiple of the alignment ", file->alignment));
    }
    const uint64_t room = file_bytes - std::min(data_begin, file_bytes);
    if (tensor.offset > room || tensor.bytes > room - tensor.offset) {
      in.Fail(Join("tensor ", tensor.name, " needs ", tensor.bytes, " bytes at offset ",
                   tensor.offset, " of the data section, which has ", room,
                   " bytes: the file is cut short (an interrupted download?)"));
    }
    tensor.offset += data_begin;
  }
  std::vector<const GgufTensor*> order;
  for (const GgufTensor& tensor : file->tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->offset < b->offset; });
  for (size_t i = 1; i < order.size(); ++i) {
    if (order[i - 1]->offset + order[i - 1]->bytes > order[i]->offset) {
      in.Fail(Join("tensors ", order[i - 1]->name, " and ", order[i]->name, " overlap"));
    }
  }
}

}  // namespace

GgufFile ParseGguf(std::span<const uint8_t> bytes, const std::string& origin,
                   std::string_view i2s_order) {
  Cursor in(bytes, origin);
  GgufFile file;
  file.metadata = Metadata(origin);
  const auto magic = in.Take(4, "the magic number");
  if (std::memcmp(magic.data(), "GGUF", 4) != 0) in.Fail("it does not begin with GGUF");
  file.version = in.Number<uint32_t>("the version");
  if (file.version != 2 && file.version != 3) {
    in.Fail(file.version == 0x02000000 || file.version == 0x03000000
                ? std::string("it is big-endian")
                : Join("its version is ", file.version, "; 2 and 3 are read"));
  }
  const auto tensor_count = in.Number<uint64_t>("the number of tensors");
  const auto key_count = in.Number<uint64_t>("the number of keys");
  // The least a key (8 + 4 + 1 bytes) and a tensor (8 + 4 + 8 + 4 + 8) can take.
  if (key_count > in.left() / 13) {
    in.Fail(Join("it claims ", key_count, " keys, more than it has room for"));
  }
  if (tensor_count > in.left() / 32) {
    in.Fail(Join("it claims ", tensor_count, " tensors, more than it has room for"));
  }
  for (uint64_t i = 0; i < key_count; ++i) {
    const std::string key(in.String("a key", kMaxKeyBytes));
    if (!file.metadata.Set(key, ReadValue(in, bytes, Join("the value of key ", key)))) {
      in.Fail(Join("the key ", key, " appears twice"));
    }
  }
  file.alignment = Alignment(in, file.metadata);
  std::unordered_set<std::string_view> names;
  file.tensors.reserve(tensor_count);
  for (uint64_t i = 0; i < tensor_count; ++i) {
    file.tensors.push_back(ReadTensorInfo(in, i2s_order));
  }
  for (const GgufTensor& tensor : file.tensors) {
    if (!names.insert(tensor.name).second) {
      in.Fail(Join("the tensor ", tensor.name, " appears twice"));
    }
  }
  const uint64_t data_begin = (in.at() + file.alignment - 1) / file.alignment * file.alignment;
  PlaceTensors(in, data_begin, bytes.size(), &file);
  return file;
}

}  // namespace trit
