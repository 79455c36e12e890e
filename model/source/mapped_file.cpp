#include "model/source/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "targets/base/error.h"

namespace trit {

std::shared_ptr<const MappedFile> MappedFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Error(Join("cannot open ", path, ": ", std::strerror(errno)));
  struct stat info {};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    throw Error(Join(path, " is not a regular file"));
  }
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->path_ = path;
  file->size_ = static_cast<uint64_t>(info.st_size);
  file->stamp_ = Join(path, ":", file->size_, ":", static_cast<int64_t>(info.st_ino), ":",
                      static_cast<int64_t>(info.st_mtim.tv_sec), ".",
                      static_cast<int64_t>(info.st_mtim.tv_nsec));
  if (file->size_ != 0) {
    void* const at = mmap(nullptr, file->size_, PROT_READ, MAP_SHARED, fd, 0);
    const int reason = errno;
    close(fd);
    if (at == MAP_FAILED) throw Error(Join("cannot map ", path, ": ", std::strerror(reason)));
    file->data_ = static_cast<const uint8_t*>(at);
  } else {
    close(fd);
  }
  return file;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<uint8_t*>(data_), size_);
}

void MappedFile::Drop(std::span<const uint8_t> part) const {
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(part.data()) + page - 1) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(part.data() + part.size()) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

std::string ReadSmallFile(const std::string& path, uint64_t limit_bytes) {
  const auto file = MappedFile::Open(path);
  const auto bytes = file->bytes();
  if (bytes.size() > limit_bytes) {
    throw Error(Join(path, " is ", bytes.size(), " bytes long, more than the ", limit_bytes,
                     " that such a file may have"));
  }
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace trit
