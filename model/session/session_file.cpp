// A saved session: "TRITSESS" | header | stamp | tokens | cache pages as they are in memory.
#include <xxhash.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "model/session/model.h"
#include "targets/base/error.h"

namespace trit {
namespace {

constexpr char kMagic[8] = {'T', 'R', 'I', 'T', 'S', 'E', 'S', 'S'};
constexpr uint32_t kVersion = 1;

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t kv_type;
  uint32_t layers, kv_heads, head_dim, vocabulary;
  uint64_t model;  // hash of the model files' stamp
  uint64_t tokens;
  uint64_t page_bytes;
  uint64_t checksum;  // of everything after the header
};

struct Closer {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Closer>;

Header Describe(const Model& model, const KvLayout& kv, size_t tokens) {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.version = kVersion;
  header.kv_type = static_cast<uint32_t>(kv.block.type);
  header.layers = static_cast<uint32_t>(kv.layers);
  header.kv_heads = static_cast<uint32_t>(kv.heads);
  header.head_dim = static_cast<uint32_t>(kv.block.head_dim);
  header.vocabulary = static_cast<uint32_t>(model.config().vocabulary);
  const std::string stamp =
      model.source().Stamp() + "|" + ActivationName(model.config().activation);
  header.model = XXH3_64bits(stamp.data(), stamp.size());
  header.tokens = tokens;
  header.page_bytes = kv.page_bytes();
  return header;
}

struct HashState {
  XXH3_state_t* state = XXH3_createState();
  HashState() { XXH3_64bits_reset(state); }
  ~HashState() { XXH3_freeState(state); }
  HashState(const HashState&) = delete;
  HashState& operator=(const HashState&) = delete;
  void Add(const void* data, size_t bytes) { XXH3_64bits_update(state, data, bytes); }
  uint64_t Digest() const { return XXH3_64bits_digest(state); }
};

}  // namespace

void Session::Save(const std::string& path) const {
  Header header = Describe(*model_, sequence_.layout(), tokens_.size());
  const std::string temporary = path + ".tmp";
  const File file(std::fopen(temporary.c_str(), "wb"));
  if (file == nullptr) throw Error(Join("cannot write the session file ", temporary));
  HashState hash;
  bool good = std::fwrite(&header, sizeof(header), 1, file.get()) == 1;
  const auto put = [&](const void* data, size_t bytes) {
    hash.Add(data, bytes);
    good = good && (bytes == 0 || std::fwrite(data, bytes, 1, file.get()) == 1);
  };
  put(tokens_.data(), tokens_.size() * sizeof(int32_t));
  for (const auto& page : sequence_.pages()) put(page.get(), header.page_bytes);
  header.checksum = hash.Digest();
  good = good && std::fseek(file.get(), 0, SEEK_SET) == 0 &&
         std::fwrite(&header, sizeof(header), 1, file.get()) == 1 && std::fflush(file.get()) == 0;
  if (!good || std::rename(temporary.c_str(), path.c_str()) != 0) {
    std::remove(temporary.c_str());
    throw Error(Join("writing the session file ", path, " failed: is the disk full?"));
  }
}

void Session::Load(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (file == nullptr) throw Error(Join("cannot open the session file ", path));
  Header header{};
  if (std::fread(&header, sizeof(header), 1, file.get()) != 1 ||
      std::memcmp(header.magic, kMagic, sizeof(kMagic)) != 0) {
    throw Error(Join(path, " is not a session file"));
  }
  if (header.version != kVersion) {
    throw Error(Join(path, " is a session file of version ", header.version,
                     "; this program reads version ", kVersion));
  }
  const Header own = Describe(*model_, sequence_.layout(), header.tokens);
  if (header.model != own.model || header.kv_type != own.kv_type || header.layers != own.layers ||
      header.kv_heads != own.kv_heads || header.head_dim != own.head_dim ||
      header.vocabulary != own.vocabulary || header.page_bytes != own.page_bytes) {
    throw Error(Join(path, " was saved with another model or another cache type"));
  }
  if (header.tokens > static_cast<uint64_t>(model_->context())) {
    throw Error(Join(path, " holds ", header.tokens, " tokens, more than the context of ",
                     model_->context()));
  }
  KvSequence sequence(model_->kv_pool());
  std::vector<int32_t> tokens(header.tokens);
  HashState hash;
  const auto get = [&](void* data, size_t bytes) {
    if (bytes != 0 && std::fread(data, bytes, 1, file.get()) != 1) {
      throw Error(Join(path, " ends before its ", header.tokens, " tokens are complete"));
    }
    hash.Add(data, bytes);
  };
  get(tokens.data(), tokens.size() * sizeof(int32_t));
  if (!tokens.empty()) sequence.Reserve(static_cast<int64_t>(tokens.size()));
  for (const auto& page : sequence.pages()) get(page.get(), header.page_bytes);
  if (hash.Digest() != header.checksum) {
    throw Error(Join(path, " is damaged: its checksum does not fit"));
  }
  for (const int32_t token : tokens) {
    if (token < 0 || token >= model_->config().vocabulary) {
      throw Error(Join(path, " holds token ", token, ", outside the vocabulary"));
    }
  }
  sequence.Advance(static_cast<int64_t>(tokens.size()));
  sequence_ = std::move(sequence);
  tokens_ = std::move(tokens);
}

}  // namespace trit
