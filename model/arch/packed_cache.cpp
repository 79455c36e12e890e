#include "model/arch/packed_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr char kMagic[8] = {'T', 'R', 'I', 'T', 'P', 'A', 'C', 'K'};
constexpr uint32_t kVersion = 1;
constexpr uint64_t kAlign = 4096;
constexpr uint64_t kMaxTable = uint64_t{64} << 20;
constexpr uint64_t kPiece = uint64_t{4} << 20;  // checksummed and moved at a time

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t entries;
  uint64_t table_bytes;
  uint64_t table_checksum;
};

bool ReadAll(int file, void* out, uint64_t bytes, uint64_t offset) {
  auto* at = static_cast<char*>(out);
  while (bytes > 0) {
    const ssize_t got = pread(file, at, std::min<uint64_t>(bytes, 1u << 30),
                              static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    offset += static_cast<uint64_t>(got);
    bytes -= static_cast<uint64_t>(got);
  }
  return true;
}

bool WriteAll(int file, const void* data, uint64_t bytes, uint64_t offset) {
  const auto* at = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t put = pwrite(file, at, std::min<uint64_t>(bytes, 1u << 30),
                               static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    at += put;
    offset += static_cast<uint64_t>(put);
    bytes -= static_cast<uint64_t>(put);
  }
  return true;
}

uint64_t Mixed(uint64_t piece, uint64_t hash) {
  const uint64_t both[2] = {piece, hash};
  return XXH3_64bits(both, sizeof(both));
}

// Sum of the pieces' hashes mixed with their numbers: pieces may be done in any order.
template <typename F>
uint64_t ForPieces(uint64_t bytes, ThreadPool& pool, const F& piece_hash) {
  std::atomic<uint64_t> sum{0};
  const auto pieces = static_cast<int64_t>((bytes + kPiece - 1) / kPiece);
  pool.Run([&](Team& team) {
    team.ShareDynamic(pieces, [&](int64_t i) {
      const uint64_t begin = static_cast<uint64_t>(i) * kPiece;
      const uint64_t size = std::min(kPiece, bytes - begin);
      sum.fetch_add(Mixed(static_cast<uint64_t>(i), piece_hash(begin, size)));
    });
  });
  return sum.load();
}

void Put(std::string* table, uint64_t value) {
  table->append(reinterpret_cast<const char*>(&value), sizeof(value));
}
void Put(std::string* table, const std::string& text) {
  Put(table, text.size());
  table->append(text);
}

// Bounds-checked reading of the table.
struct TableReader {
  const std::string& bytes;
  size_t at = 0;
  bool good = true;
  uint64_t Number() {
    uint64_t value = 0;
    if (bytes.size() - at < sizeof(value)) {
      good = false;
      return 0;
    }
    std::memcpy(&value, bytes.data() + at, sizeof(value));
    at += sizeof(value);
    return value;
  }
  std::string Text() {
    const uint64_t size = Number();
    if (!good || size > bytes.size() - at) {
      good = false;
      return {};
    }
    std::string text = bytes.substr(at, size);
    at += size;
    return text;
  }
};

uint64_t RoundUpTo(uint64_t value, uint64_t step) { return (value + step - 1) / step * step; }

}  // namespace

PackedCacheReader::PackedCacheReader(const std::string& path, const std::string& stamp) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  struct stat status {};
  Header header{};
  std::string table;
  bool good = fstat(file, &status) == 0 && ReadAll(file, &header, sizeof(header), 0) &&
              std::memcmp(header.magic, kMagic, sizeof(kMagic)) == 0 &&
              header.version == kVersion && header.table_bytes <= kMaxTable;
  if (good) {
    table.resize(header.table_bytes);
    good = ReadAll(file, table.data(), table.size(), sizeof(header)) &&
           XXH3_64bits(table.data(), table.size()) == header.table_checksum;
  }
  TableReader reader{table};
  good = good && reader.Text() == stamp;
  for (uint32_t i = 0; good && i < header.entries; ++i) {
    CacheEntry entry;
    entry.name = reader.Text();
    entry.tag = reader.Text();
    entry.offset = reader.Number();
    entry.bytes = reader.Number();
    entry.checksum = reader.Number();
    const auto size = static_cast<uint64_t>(status.st_size);
    good = reader.good && entry.offset <= size && entry.bytes <= size - entry.offset;
    entries_.push_back(std::move(entry));
  }
  if (good) {
    file_ = file;
  } else {
    close(file);
  }
}

PackedCacheReader::~PackedCacheReader() {
  if (file_ >= 0) close(file_);
}

const CacheEntry* PackedCacheReader::Find(const std::string& name) const {
  for (const CacheEntry& entry : entries_) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

bool PackedCacheReader::Read(const CacheEntry& entry, void* out, ThreadPool& pool) const {
  auto* bytes = static_cast<char*>(out);
  std::atomic<bool> good{true};
  const uint64_t sum = ForPieces(entry.bytes, pool, [&](uint64_t begin, uint64_t size) -> uint64_t {
    if (!ReadAll(file_, bytes + begin, size, entry.offset + begin)) {
      good = false;
      return 0;
    }
    return XXH3_64bits(bytes + begin, size);
  });
  return good && sum == entry.checksum;
}

void PackedCacheWriter::Add(std::string name, std::string tag, const void* data, uint64_t bytes) {
  items_.push_back({std::move(name), std::move(tag), data, bytes});
}

std::string PackedCacheWriter::Write(const std::string& path, const std::string& stamp,
                                     ThreadPool& pool) const {
  // Sizes first: offsets are part of the table, whose own size does not depend on their values.
  std::vector<CacheEntry> entries;
  uint64_t table_bytes = 8 + stamp.size();
  for (const Item& item : items_) table_bytes += 16 + item.name.size() + item.tag.size() + 24;
  uint64_t offset = RoundUpTo(sizeof(Header) + table_bytes, kAlign);
  for (const Item& item : items_) {
    entries.push_back({item.name, item.tag, offset, item.bytes, 0});
    offset = RoundUpTo(offset + item.bytes, kAlign);
  }
  std::error_code error;
  const std::filesystem::path target(path);
  std::filesystem::create_directories(target.parent_path(), error);
  const auto space = std::filesystem::space(target.parent_path(), error);
  if (error || space.available < offset + (uint64_t{256} << 20)) {
    return Join("the packed cache was not written: ", target.parent_path().string(),
                " cannot take ", offset >> 20, " MiB");
  }
  const std::string temporary = Join(path, ".", static_cast<int64_t>(getpid()), ".tmp");
  const int file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file < 0) {
    return Join("the packed cache was not written: ", temporary, ": ", std::strerror(errno));
  }
  std::atomic<bool> good{true};
  for (size_t i = 0; i < items_.size(); ++i) {
    const auto* bytes = static_cast<const char*>(items_[i].data);
    entries[i].checksum =
        ForPieces(items_[i].bytes, pool, [&](uint64_t begin, uint64_t size) -> uint64_t {
          if (!WriteAll(file, bytes + begin, size, entries[i].offset + begin)) good = false;
          return XXH3_64bits(bytes + begin, size);
        });
  }
  std::string table;
  Put(&table, stamp);
  for (const CacheEntry& entry : entries) {
    Put(&table, entry.name);
    Put(&table, entry.tag);
    Put(&table, entry.offset);
    Put(&table, entry.bytes);
    Put(&table, entry.checksum);
  }
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.version = kVersion;
  header.entries = static_cast<uint32_t>(entries.size());
  header.table_bytes = table.size();
  header.table_checksum = XXH3_64bits(table.data(), table.size());
  good = good && WriteAll(file, table.data(), table.size(), sizeof(header)) &&
         WriteAll(file, &header, sizeof(header), 0);
  good = close(file) == 0 && good;
  if (good && rename(temporary.c_str(), path.c_str()) == 0) return "";
  const std::string reason = std::strerror(errno);
  unlink(temporary.c_str());
  return Join("the packed cache was not written: ", temporary, ": ", reason);
}

std::string DefaultCacheFolder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  if (const auto folder = variable("TRIT_CACHE_DIR"); !folder.empty()) return folder;
  if (const auto folder = variable("XDG_CACHE_HOME"); !folder.empty()) return folder + "/tritforge";
  if (const auto folder = variable("HOME"); !folder.empty()) return folder + "/.cache/tritforge";
  return "";
}

}  // namespace trit
