#include "runtime/records/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "runtime/records/line.h"
#include "targets/base/error.h"

namespace trit {
namespace {

[[noreturn]] void Fail(const std::string& path, const char* what) {
  const int code = errno;
  std::string hint;
  if (code == ENOSPC || code == EFBIG || code == EDQUOT) {
    hint = " (nothing recorded earlier is lost; free some space and run the command again)";
  }
  throw Error(Join(path, ": ", what, " failed: ", std::strerror(code), hint, "."));
}

void CreateFolderOf(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw Error(Join(folder.string(), ": the folder cannot be made: ", error.message(), "."));
  }
}

uint64_t SizeOf(int fd, const std::string& path) {
  struct stat info;
  if (fstat(fd, &info) != 0) Fail(path, "looking at the file");
  return static_cast<uint64_t>(info.st_size);
}

// Everything in one write() where the system takes it so; false when it did not fit.
bool WriteAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t wrote = write(fd, data, size);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    data += wrote;
    size -= static_cast<size_t>(wrote);
  }
  return true;
}

std::string ReadFrom(int fd, const std::string& path, uint64_t offset, uint64_t size) {
  std::string content(size, '\0');
  uint64_t done = 0;
  while (done < size) {
    const ssize_t got =
        pread(fd, content.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) Fail(path, "reading");
    if (got == 0) break;  // another process cut a torn tail off
    done += static_cast<uint64_t>(got);
  }
  content.resize(done);
  return content;
}

JournalContent SplitLines(const std::string& content) {
  JournalContent out;
  out.bytes = content.size();
  size_t begin = 0;
  for (size_t end; (end = content.find('\n', begin)) != std::string::npos; begin = end + 1) {
    if (end > begin) out.lines.push_back(content.substr(begin, end - begin));
  }
  out.torn = content.substr(begin);
  return out;
}

}  // namespace

Journal::Journal(std::string path, bool writable) : path_(std::move(path)), writable_(writable) {
  if (writable_) {
    CreateFolderOf(path_);
    Open();
  }
}

Journal::Journal(Journal&& other) noexcept
    : path_(std::move(other.path_)),
      writable_(other.writable_),
      fd_(std::exchange(other.fd_, -1)) {}

Journal::~Journal() {
  if (fd_ >= 0) close(fd_);
}

void Journal::Open() {
  if (fd_ >= 0) close(fd_);
  fd_ = open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) Fail(path_, "opening for writing");
}

void Journal::Lock() {
  if (!writable_) throw Error(Join(path_, ": was opened for reading only."));
  for (;;) {
    while (flock(fd_, LOCK_EX) != 0) {
      if (errno != EINTR) Fail(path_, "locking");
    }
    struct stat mine, named;
    if (fstat(fd_, &mine) != 0) Fail(path_, "looking at the file");
    if (stat(path_.c_str(), &named) == 0 && named.st_ino == mine.st_ino &&
        named.st_dev == mine.st_dev) {
      return;
    }
    Open();  // replaced while we waited; closing the old file drops its lock
  }
}

void Journal::Unlock() {
  flock(fd_, LOCK_UN);
}

void Journal::RepairTail() {
  const uint64_t size = SizeOf(fd_, path_);
  if (size == 0 || ReadFrom(fd_, path_, size - 1, 1) == "\n") return;
  // A torn line is at most one line long, so the last break lies within that distance.
  const uint64_t reach = std::min<uint64_t>(size, kMaxLineBytes + 1);
  const std::string tail = ReadFrom(fd_, path_, size - reach, reach);
  const size_t last_break = tail.rfind('\n');
  const size_t begin = last_break == std::string::npos ? 0 : last_break + 1;
  if (OpenLine(std::string_view(tail).substr(begin)) && WriteAll(fd_, "\n", 1)) return;
  if (last_break == std::string::npos && reach < size) {
    throw Error(Join(path_, ": ends in ", reach,
                     " bytes without a line break; this is not a "
                     "record file."));
  }
  if (ftruncate(fd_, static_cast<off_t>(size - reach + begin)) != 0) {
    Fail(path_, "cutting a torn last line off");
  }
}

JournalContent Journal::Read() const {
  // By name, not by fd_: another process may have replaced the file.
  const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    if (errno == ENOENT) return {};
    Fail(path_, "opening");
  }
  std::string content;
  try {
    content = ReadFrom(fd, path_, 0, SizeOf(fd, path_));
  } catch (...) {
    close(fd);
    throw;
  }
  close(fd);
  return SplitLines(content);
}

void Journal::Append(const std::string& line) {
  Lock();
  try {
    RepairTail();
    const uint64_t old_size = SizeOf(fd_, path_);
    const std::string text = line + "\n";
    if (!WriteAll(fd_, text.data(), text.size())) {
      const int code = errno;
      if (ftruncate(fd_, static_cast<off_t>(old_size)) != 0) {
        // The torn line stays; its checksum gives it away and the next append removes it.
      }
      errno = code;
      Fail(path_, "appending a record");
    }
  } catch (...) {
    Unlock();
    throw;
  }
  Unlock();
}

void Journal::Sync() {
  if (fd_ >= 0 && fdatasync(fd_) != 0 && errno != EINVAL) Fail(path_, "syncing");
}

size_t Journal::Replace(
    const std::function<std::vector<std::string>(const JournalContent&)>& edit) {
  Lock();
  try {
    const std::vector<std::string> lines =
        edit(SplitLines(ReadFrom(fd_, path_, 0, SizeOf(fd_, path_))));
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    WriteFileAtomically(path_, text);
    Unlock();
    Open();
    return lines.size();
  } catch (...) {
    Unlock();
    throw;
  }
}

void WriteFileAtomically(const std::string& path, const std::string& content) {
  CreateFolderOf(path);
  const std::string beside = Join(path, ".new.", static_cast<long>(getpid()));
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) Fail(beside, "making the file");
  const bool written = WriteAll(fd, content.data(), content.size()) && fsync(fd) == 0;
  int code = errno;
  if (close(fd) != 0 && written) code = errno;
  if (!written || rename(beside.c_str(), path.c_str()) != 0) {
    if (written) code = errno;
    unlink(beside.c_str());
    errno = code;
    Fail(path, "writing");
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const int folder_fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (folder_fd >= 0) {
    fsync(folder_fd);  // makes the rename itself durable; without it the old file is found
    close(folder_fd);
  }
}

std::string ReadWholeFile(const std::string& path, uint64_t limit_bytes) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) Fail(path, "opening");
  try {
    struct stat info;
    if (fstat(fd, &info) != 0) Fail(path, "looking at the file");
    if (!S_ISREG(info.st_mode)) throw Error(Join(path, ": is not a regular file."));
    const auto size = static_cast<uint64_t>(info.st_size);
    if (size > limit_bytes) {
      throw Error(Join(path, ": has ", size, " bytes; at most ", limit_bytes, " are read."));
    }
    std::string content = ReadFrom(fd, path, 0, size);
    close(fd);
    return content;
  } catch (...) {
    close(fd);
    throw;
  }
}

}  // namespace trit
