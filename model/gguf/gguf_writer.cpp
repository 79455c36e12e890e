#include "model/gguf/gguf_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr uint64_t kAlignment = 32;

void PutBytes(const void* from, size_t count, std::vector<uint8_t>* out) {
  if (count == 0) return;
  out->resize(out->size() + count);
  std::memcpy(out->data() + out->size() - count, from, count);
}
template <typename T>
void Put(T value, std::vector<uint8_t>* out) {
  PutBytes(&value, sizeof(T), out);
}
void PutString(std::string_view text, std::vector<uint8_t>* out) {
  Put<uint64_t>(text.size(), out);
  PutBytes(text.data(), text.size(), out);
}

void PutValue(const MetaValue& value, std::vector<uint8_t>* out) {
  Put(static_cast<uint32_t>(value.type), out);
  switch (value.type) {
    case MetaType::kF32:
      Put(static_cast<float>(value.real), out);
      break;
    case MetaType::kF64:
      Put(value.real, out);
      break;
    case MetaType::kString:
      PutString(value.text, out);
      break;
    case MetaType::kArray:
      Put(static_cast<uint32_t>(value.element), out);
      Put(value.count, out);
      PutBytes(value.raw.data(), value.raw.size(), out);
      break;
    default:
      PutBytes(&value.integer, MetaTypeBytes(value.type), out);  // little-endian
  }
}

uint64_t Aligned(uint64_t at) {
  return (at + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

std::vector<uint8_t> GgufHeader(const Metadata& metadata, std::span<const GgufTensorPlan> tensors,
                                std::vector<uint64_t>* offsets, uint64_t* data_bytes) {
  std::vector<uint8_t> out;
  Put<uint32_t>(0x46554747, &out);  // "GGUF"
  Put<uint32_t>(3, &out);
  Put<uint64_t>(tensors.size(), &out);
  uint64_t keys = 0;
  for (const std::string& key : metadata.keys()) keys += key != "general.alignment" ? 1 : 0;
  Put(keys, &out);
  for (const std::string& key : metadata.keys()) {
    if (key == "general.alignment") continue;  // the default, 32, is what is written here
    PutString(key, &out);
    PutValue(*metadata.Peek(key), &out);
  }
  offsets->clear();
  uint64_t at = 0;
  for (const GgufTensorPlan& tensor : tensors) {
    PutString(tensor.name, &out);
    Put(static_cast<uint32_t>(tensor.dims.size()), &out);
    for (const uint64_t dim : tensor.dims) Put(dim, &out);
    Put(tensor.type, &out);
    Put(at, &out);
    offsets->push_back(at);
    at = Aligned(at + tensor.bytes);
  }
  *data_bytes = at;
  out.resize(Aligned(out.size()), 0);
  return out;
}

GgufWriter::GgufWriter(const std::string& path, const Metadata& metadata,
                       std::vector<GgufTensorPlan> tensors)
    : path_(path),
      temporary_(Join(path, ".partial.", static_cast<int64_t>(getpid()))),
      tensors_(std::move(tensors)) {
  uint64_t data_bytes = 0;
  const std::vector<uint8_t> header = GgufHeader(metadata, tensors_, &offsets_, &data_bytes);
  for (uint64_t& offset : offsets_) offset += header.size();
  total_bytes_ = header.size() + data_bytes;
  fd_ = open(temporary_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) throw Error(Join("cannot write ", temporary_, ": ", std::strerror(errno)));
  // Claims the space now: a full disk is told before hours of work, not after.
  const int refused = posix_fallocate(fd_, 0, static_cast<off_t>(total_bytes_));
  const bool unsupported = refused == EOPNOTSUPP || refused == EINVAL;
  if ((refused != 0 && !unsupported) ||
      (unsupported && ftruncate(fd_, static_cast<off_t>(total_bytes_)) != 0)) {
    close(fd_);
    unlink(temporary_.c_str());
    throw Error(
        Join("cannot write ", total_bytes_, " bytes to ", path, ": ", std::strerror(refused)));
  }
  size_t written = 0;
  while (written < header.size()) {
    const ssize_t count =
        pwrite(fd_, header.data() + written, header.size() - written, static_cast<off_t>(written));
    if (count < 0) {
      const int reason = errno;
      close(fd_);
      unlink(temporary_.c_str());
      throw Error(Join("cannot write ", temporary_, ": ", std::strerror(reason)));
    }
    written += static_cast<size_t>(count);
  }
}

GgufWriter::~GgufWriter() {
  if (fd_ >= 0) close(fd_);
  if (!finished_) unlink(temporary_.c_str());
}

void GgufWriter::Write(size_t index, uint64_t offset, std::span<const uint8_t> bytes) {
  const GgufTensorPlan& tensor = tensors_.at(index);
  if (offset > tensor.bytes || bytes.size() > tensor.bytes - offset) {
    throw Error(Join("writing past the end of tensor ", tensor.name));
  }
  uint64_t at = offsets_[index] + offset;
  while (!bytes.empty()) {
    const ssize_t count = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (count < 0) throw Error(Join("cannot write ", temporary_, ": ", std::strerror(errno)));
    bytes = bytes.subspan(static_cast<size_t>(count));
    at += static_cast<uint64_t>(count);
  }
}

void GgufWriter::Finish() {
  if (close(fd_) != 0) {
    fd_ = -1;
    throw Error(Join("cannot write ", temporary_, ": ", std::strerror(errno)));
  }
  fd_ = -1;
  if (rename(temporary_.c_str(), path_.c_str()) != 0) {
    throw Error(Join("cannot rename ", temporary_, " to ", path_, ": ", std::strerror(errno)));
  }
  finished_ = true;
}

}  // namespace trit
