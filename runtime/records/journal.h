// An append-only file of lines that survives its writers.
//
// - A line is appended by one write() under an exclusive lock, so several processes may append.
// - A writer that dies in the middle leaves a torn last line. The next append repairs it: a torn
//   line that is whole but for its line break is completed, anything else is cut off.
// - When the disk is full the file is cut back to its old length and an Error is thrown: nothing
//   that was there before is lost.
// - Replacing the whole file (prune, import) writes a new file beside it, syncs and renames; a
//   writer that waited for the lock notices that the name points elsewhere and opens it again.
//
// The journal knows lines, not what is in them.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace trit {

struct JournalContent {
  std::vector<std::string> lines;  // complete lines, in file order
  std::string torn;                // bytes after the last line break, if any
  uint64_t bytes = 0;
};

class Journal {
 public:
  // Creates folders and file as needed. `writable` false: never creates or locks for writing, and
  // an absent file is an empty journal.
  explicit Journal(std::string path, bool writable = true);
  ~Journal();
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;

  const std::string& path() const { return path_; }

  // Reads everything that is in the file now.
  JournalContent Read() const;

  // Appends one line (without its line break). Returns after write(); Sync makes it durable
  // against a power cut as well.
  void Append(const std::string& line);
  void Sync();

  // Under the lock: hands the present lines to `edit` and puts what it returns in their place,
  // all or nothing. Returns the number of lines written.
  size_t Replace(const std::function<std::vector<std::string>(const JournalContent&)>& edit);

 private:
  void Open();
  void Lock();
  void Unlock();
  void RepairTail();

  std::string path_;
  bool writable_;
  int fd_ = -1;
};

// Writes `content` to `path` all or nothing: a file beside it, synced, renamed. Creates folders.
void WriteFileAtomically(const std::string& path, const std::string& content);

// The whole file; throws Error naming it when it cannot be read or is larger than `limit_bytes`.
std::string ReadWholeFile(const std::string& path, uint64_t limit_bytes = uint64_t{1} << 31);

}  // namespace trit
