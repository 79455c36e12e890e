#include "model/hf/safetensors.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "targets/base/error.h"

namespace trit {
namespace {

// About 100 bytes a tensor: room for 300 thousand tensors.
constexpr uint64_t kMaxHeaderBytes = 32u << 20;

uint64_t DtypeBytes(const std::string& dtype) {
  if (dtype == "F64" || dtype == "I64" || dtype == "U64") return 8;
  if (dtype == "F32" || dtype == "I32" || dtype == "U32") return 4;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16" || dtype == "U16") return 2;
  if (dtype == "I8" || dtype == "U8" || dtype == "BOOL") return 1;
  return 0;
}

SafeTensor ParseTensor(const std::string& name, const nlohmann::json& entry, uint64_t data_begin,
                       uint64_t data_bytes, const std::string& origin) {
  SafeTensor tensor;
  tensor.name = name;
  tensor.dtype = entry.at("dtype").get<std::string>();
  uint64_t elements = 1;
  for (const nlohmann::json& dim : entry.at("shape")) {
    const auto size = dim.get<int64_t>();
    if (!dim.is_number_integer() || size < 0 || size > 0x7fffffff ||
        (size != 0 && elements > (uint64_t{1} << 48) / static_cast<uint64_t>(size))) {
      throw Error(Join(origin, ": the tensor ", name, " has an impossible shape"));
    }
    elements *= static_cast<uint64_t>(size);
    tensor.shape.push_back(size);
  }
  const nlohmann::json& offsets = entry.at("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    throw Error(Join(origin, ": the tensor ", name, " has no two data_offsets"));
  }
  const auto begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
  if (begin > end || end > data_bytes) {
    throw Error(Join(origin, ": the tensor ", name, " lies at bytes ", begin, " to ", end,
                     " of the data, which has ", data_bytes, ": the file is cut short or damaged"));
  }
  const uint64_t size = DtypeBytes(tensor.dtype);
  if (size != 0 && end - begin != elements * size) {
    throw Error(Join(origin, ": the tensor ", name, " has ", elements, " elements of ",
                     tensor.dtype, " and ", end - begin, " bytes"));
  }
  tensor.offset = data_begin + begin;
  tensor.bytes = end - begin;
  return tensor;
}

}  // namespace

std::vector<SafeTensor> ParseSafetensors(std::span<const uint8_t> bytes,
                                         const std::string& origin) {
  if (bytes.size() < 8) {
    throw Error(Join(origin, " is not a safetensors file: it has ", bytes.size(), " bytes"));
  }
  uint64_t header_bytes;
  std::memcpy(&header_bytes, bytes.data(), 8);
  if (header_bytes > bytes.size() - 8 || header_bytes > kMaxHeaderBytes) {
    throw Error(Join(origin, " is not a sound safetensors file: its header claims ", header_bytes,
                     " bytes, the file has ", bytes.size()));
  }
  const uint64_t data_begin = 8 + header_bytes;
  std::vector<SafeTensor> tensors;
  try {
    const auto* text = reinterpret_cast<const char*>(bytes.data()) + 8;
    const nlohmann::json header = nlohmann::json::parse(text, text + header_bytes);
    if (!header.is_object()) throw Error(Join(origin, ": the header is no JSON object"));
    for (const auto& [name, entry] : header.items()) {
      if (name == "__metadata__") continue;
      tensors.push_back(ParseTensor(name, entry, data_begin, bytes.size() - data_begin, origin));
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(Join(origin, ": the safetensors header is not as it should be: ", error.what()));
  }
  std::sort(tensors.begin(), tensors.end(),
            [](const SafeTensor& a, const SafeTensor& b) { return a.offset < b.offset; });
  for (size_t i = 1; i < tensors.size(); ++i) {
    if (tensors[i - 1].offset + tensors[i - 1].bytes > tensors[i].offset) {
      throw Error(Join(origin, ": the tensors ", tensors[i - 1].name, " and ", tensors[i].name,
                       " overlap"));
    }
  }
  return tensors;
}

}  // namespace trit
