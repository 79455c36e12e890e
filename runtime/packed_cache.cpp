#include "runtime/packed_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "runtime/sizes.h"
#include "targets/base/error.h"

namespace trit {
namespace {

namespace fs = std::filesystem;

constexpr char kMagic[8] = {'T', 'R', 'I', 'T', 'P', 'A', 'K', '\n'};
constexpr uint32_t kVersion = 1;
constexpr uint64_t kPage = 4096;
constexpr uint64_t kBlock = uint64_t{1} << 20;
constexpr char kSuffix[] = ".packed";
constexpr char kTemporary[] = ".tmp";

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t abi_major;
  int32_t n, k;
  uint64_t packed_bytes;
  Hash128 content;
  char layout[136];
  Hash128 blocks_checksum;  // of the block checksums
  uint64_t reserved[4];
  Hash128 header_checksum;  // of all bytes before
};
static_assert(sizeof(Header) <= kPage && std::has_unique_object_representations_v<Header>);

Hash128 HeaderChecksum(const Header& h) {
  return HashBytes(&h, offsetof(Header, header_checksum));
}

uint64_t Blocks(uint64_t bytes) {
  return (bytes + kBlock - 1) / kBlock;
}
uint64_t PayloadOffset(uint64_t bytes) {
  return kPage + RoundUp(Blocks(bytes) * sizeof(Hash128), kPage);
}

class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

bool ReadAt(int fd, uint64_t offset, void* to, uint64_t bytes) {
  for (uint64_t done = 0; done < bytes;) {
    const ssize_t got =
        pread(fd, static_cast<char*>(to) + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<uint64_t>(got);
  }
  return true;
}

bool WriteAt(int fd, uint64_t offset, const void* from, uint64_t bytes) {
  for (uint64_t done = 0; done < bytes;) {
    const ssize_t put = pwrite(fd, static_cast<const char*>(from) + done, bytes - done,
                               static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    done += static_cast<uint64_t>(put);
  }
  return true;
}

// The folder's whole files.
struct Entry {
  fs::path path;
  uint64_t bytes;
  fs::file_time_type used;
};
std::vector<Entry> List(const fs::path& directory) {
  std::vector<Entry> out;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != kSuffix) continue;
    std::error_code gone;  // another process may remove files meanwhile
    const uint64_t bytes = it->file_size(gone);
    const auto used = it->last_write_time(gone);
    if (!gone) out.push_back({it->path(), bytes, used});
  }
  return out;
}

}  // namespace

// What a file holds. `kind` is the layout's id, or names other bytes (then n = k = 0).
struct PackedCache::Item {
  Hash128 content;
  int32_t n, k;
  std::string_view kind;
  uint64_t bytes;

  static Item Of(const Hash128& content, const KernelPlan& plan) {
    return {content, plan.n(), plan.k(), plan.layout().id,
            plan.layout().packed_bytes(plan.n(), plan.k())};
  }
  // The header but for its checksums.
  Header MakeHeader() const {
    Header h{};
    std::memcpy(h.magic, kMagic, sizeof(kMagic));
    h.version = kVersion;
    h.abi_major = TRIT_ABI_MAJOR;
    h.n = n;
    h.k = k;
    h.packed_bytes = bytes;
    h.content = content;
    kind.copy(h.layout, sizeof(h.layout) - 1);
    return h;
  }
};

fs::path PackedCache::DefaultDirectory() {
  // A relative XDG_CACHE_HOME is to be ignored, says the specification.
  const char* xdg = std::getenv("XDG_CACHE_HOME");
  if (xdg != nullptr && xdg[0] == '/') return fs::path(xdg) / "tritforge" / "packed";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return fs::path(home) / ".cache" / "tritforge" / "packed";
  return {};
}

PackedCache::PackedCache(fs::path directory, uint64_t cap_bytes)
    : directory_(std::move(directory)), cap_bytes_(cap_bytes) {
  std::error_code error;
  if (directory_.empty()) return;
  if (fs::create_directories(directory_, error)) {
    fs::permissions(directory_, fs::perms::owner_all, error);
  }
  RemoveLeftovers();
}

// A writer holds a lock on its temporary file as long as it lives.
void PackedCache::RemoveLeftovers() const {
  std::error_code error;
  for (fs::directory_iterator it(directory_, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() != kTemporary) continue;
    const Descriptor file(it->path(), O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    if (file.get() < 0 || flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    unlink(it->path().c_str());
  }
}

fs::path PackedCache::File(const Item& item) const {
  return directory_ / Join(item.content.Hex(), "-", item.n, "x", item.k, "-", item.kind, kSuffix);
}

fs::path PackedCache::File(const Hash128& content, const KernelPlan& plan) const {
  return File(Item::Of(content, plan));
}

uint64_t PackedCache::Bytes() const {
  uint64_t total = 0;
  for (const Entry& e : List(directory_)) total += e.bytes;
  return total;
}

void PackedCache::MakeRoom(uint64_t bytes, const fs::path& keep) const {
  std::vector<Entry> entries = List(directory_);
  uint64_t total = bytes;
  for (const Entry& e : entries) total += e.bytes;
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.used < b.used; });
  for (const Entry& e : entries) {
    if (total <= cap_bytes_) return;
    if (e.path == keep) continue;
    std::error_code error;
    if (fs::remove(e.path, error)) total -= e.bytes;
  }
}

template <typename Reserve>
bool PackedCache::LoadItem(const Item& item, ThreadPool& pool, const Reserve& reserve) const {
  if (directory_.empty() || item.bytes == 0) return false;
  const fs::path path = File(item);
  const Descriptor file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (file.get() < 0) return false;
  const auto damaged = [&] {
    unlink(path.c_str());
    return false;
  };
  struct stat info {};
  Header h{};
  if (fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  if (!ReadAt(file.get(), 0, &h, sizeof(h)) || h.header_checksum != HeaderChecksum(h)) {
    return damaged();
  }
  // The header is what was written. Is it what is asked for, and does the size agree?
  Header wanted = item.MakeHeader();
  wanted.blocks_checksum = h.blocks_checksum;
  wanted.header_checksum = h.header_checksum;
  const uint64_t bytes = item.bytes;
  if (std::memcmp(&h, &wanted, sizeof(h)) != 0 ||
      static_cast<uint64_t>(info.st_size) != PayloadOffset(bytes) + bytes) {
    return damaged();
  }
  std::vector<Hash128> sums(Blocks(bytes));
  if (!ReadAt(file.get(), kPage, sums.data(), sums.size() * sizeof(Hash128)) ||
      HashBytes(sums.data(), sums.size() * sizeof(Hash128)) != h.blocks_checksum) {
    return damaged();
  }
  std::byte* const out = reserve();
  std::atomic<bool> good{true};
  pool.Run([&](Team& team) {
    team.ShareDynamic(static_cast<int64_t>(sums.size()), [&](int64_t i) {
      const uint64_t begin = static_cast<uint64_t>(i) * kBlock;
      const uint64_t size = std::min(kBlock, bytes - begin);
      if (!good.load(std::memory_order_relaxed)) return;
      if (!ReadAt(file.get(), PayloadOffset(bytes) + begin, out + begin, size) ||
          HashBytes(out + begin, size) != sums[static_cast<size_t>(i)]) {
        good.store(false, std::memory_order_relaxed);
      }
    });
  });
  if (!good) return damaged();
  (void)futimens(file.get(), nullptr);  // used just now; O_RDONLY is enough for the owner
  return true;
}

std::optional<PackedMatrix> PackedCache::Load(const Hash128& content, const KernelPlan& plan,
                                              ThreadPool& pool, Arena* arena) const {
  PackedMatrix out;
  const bool found = LoadItem(Item::Of(content, plan), pool, [&] {
    out = PackedMatrix::Reserve(plan, arena);
    return out.mutable_data();
  });
  if (!found) return std::nullopt;
  return out;
}

bool PackedCache::LoadBytes(const Hash128& content, std::string_view kind, void* out,
                            uint64_t bytes, ThreadPool& pool) const {
  return LoadItem({content, 0, 0, kind, bytes}, pool, [&] { return static_cast<std::byte*>(out); });
}

std::string PackedCache::StoreItem(const Item& item, const std::byte* data) const {
  if (directory_.empty()) return "no cache folder: neither XDG_CACHE_HOME nor HOME is set";
  const uint64_t bytes = item.bytes;
  const uint64_t file_bytes = PayloadOffset(bytes) + bytes;
  if (file_bytes > cap_bytes_) {
    return Join("a tensor of ", file_bytes, " bytes is more than the cache's cap of ", cap_bytes_);
  }
  const fs::path path = File(item);
  MakeRoom(file_bytes, path);
  static std::atomic<uint64_t> counter{0};
  const fs::path temporary =
      directory_ / Join(item.content.Hex(), ".", getpid(), ".", counter.fetch_add(1), kTemporary);
  const auto failed = [&](const char* what) {
    std::string reason = Join(what, " ", temporary.string(), ": ", std::strerror(errno));
    unlink(temporary.c_str());
    return reason;
  };
  const Descriptor file(temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (file.get() < 0) {
    return Join("cannot create ", temporary.string(), ": ", std::strerror(errno));
  }
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) return failed("cannot lock");
  std::vector<Hash128> sums(Blocks(bytes));
  for (uint64_t i = 0; i < sums.size(); ++i) {
    const std::byte* from = data + i * kBlock;
    const uint64_t size = std::min(kBlock, bytes - i * kBlock);
    sums[i] = HashBytes(from, size);
    if (!WriteAt(file.get(), PayloadOffset(bytes) + i * kBlock, from, size)) {
      return failed("cannot write");
    }
  }
  Header h = item.MakeHeader();
  h.blocks_checksum = HashBytes(sums.data(), sums.size() * sizeof(Hash128));
  h.header_checksum = HeaderChecksum(h);
  if (!WriteAt(file.get(), kPage, sums.data(), sums.size() * sizeof(Hash128)) ||
      !WriteAt(file.get(), 0, &h, sizeof(h))) {
    return failed("cannot write");
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) return failed("cannot rename");
  return "";
}

std::string PackedCache::Store(const Hash128& content, const PackedMatrix& matrix) const {
  return StoreItem(Item::Of(content, matrix.plan()), matrix.data());
}

std::string PackedCache::StoreBytes(const Hash128& content, std::string_view kind, const void* data,
                                    uint64_t bytes) const {
  return StoreItem({content, 0, 0, kind, bytes}, static_cast<const std::byte*>(data));
}

PackedMatrix PackThroughCache(const PackedCache* cache, const Hash128& content, KernelPlan plan,
                              const RowSource& source, ThreadPool& pool, Arena* arena,
                              const PackProgress& progress, bool* hit, std::string* trouble) {
  if (hit != nullptr) *hit = false;
  if (trouble != nullptr) trouble->clear();
  if (cache != nullptr) {
    if (std::optional<PackedMatrix> found = cache->Load(content, plan, pool, arena)) {
      if (hit != nullptr) *hit = true;
      if (progress) progress(found->n(), found->n());
      return std::move(*found);
    }
  }
  PackedMatrix packed = PackedMatrix::Pack(std::move(plan), source, pool, arena, progress);
  if (cache != nullptr) {
    std::string reason = cache->Store(content, packed);
    if (trouble != nullptr) *trouble = std::move(reason);
  }
  return packed;
}

}  // namespace trit
