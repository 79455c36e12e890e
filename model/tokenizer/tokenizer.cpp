#include "model/tokenizer/tokenizer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <numeric>
#include <unordered_map>

#include "model/tokenizer/byte_alphabet.h"
#include "model/tokenizer/merge_table.h"
#include "model/tokenizer/pre_tokenizers.h"
#include "model/tokenizer/special_tokens.h"
#include "model/tokenizer/splitter.h"
#include "model/tokenizer/string_index.h"
#include "model/tokenizer/utf8.h"
#include "targets/base/error.h"

namespace trit {
namespace {

constexpr std::string_view kSpaceMark = "\xe2\x96\x81";  // U+2581, SentencePiece's space

// Words seen before and their ids. Direct-mapped: a newer word takes the place of an older one.
class WordCache {
 public:
  static constexpr size_t kMaxWord = 24, kMaxIds = 6;

  WordCache() : slots_(1u << 14) {}

  bool Find(std::string_view word, std::vector<int32_t>* out) const {
    if (word.size() > kMaxWord) return false;
    const Slot& slot = slots_[Place(word)];
    if (slot.size != word.size() || std::memcmp(slot.word, word.data(), word.size()) != 0) {
      return false;
    }
    out->insert(out->end(), slot.ids, slot.ids + slot.count);
    return true;
  }
  void Put(std::string_view word, std::span<const int32_t> ids) {
    if (word.size() > kMaxWord || ids.size() > kMaxIds) return;
    Slot& slot = slots_[Place(word)];
    slot.size = static_cast<uint8_t>(word.size());
    slot.count = static_cast<uint8_t>(ids.size());
    std::memcpy(slot.word, word.data(), word.size());
    std::copy(ids.begin(), ids.end(), slot.ids);
  }

 private:
  struct Slot {
    uint8_t size = 0, count = 0;
    char word[kMaxWord];
    int32_t ids[kMaxIds];
  };
  size_t Place(std::string_view word) const {
    return XXH3_64bits(word.data(), word.size()) & (slots_.size() - 1);
  }
  std::vector<Slot> slots_;
};

}  // namespace

struct Tokenizer::Impl {
  TokenizerSpec spec;
  std::string origin;
  std::vector<std::string> bytes;  // of each token
  StringIndex by_bytes;            // what text is looked up in
  StringIndex by_text;             // spec.tokens
  std::array<int32_t, 256> byte_token;
  MergeTable merges;
  SpecialTokens specials;
  std::unique_ptr<Splitter> splitter;
  // SentencePiece: characters that are part of tokens but no tokens themselves get ids past the
  // vocabulary, so that merging through them works; they never come out.
  std::unordered_map<std::string, int32_t> inner_characters;
  // No token has a space mark after another character: then text may be cut before space marks.
  bool cut_at_spaces = false;

  // What one call of Encode needs; kept for the next.
  struct Workspace {
    SplitStatePtr split;
    WordCache cache;
    std::vector<int32_t> symbols;
  };
  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Workspace>> idle;

  bool Is(int32_t id, TokenKind kind) const { return spec.kinds[static_cast<size_t>(id)] == kind; }

  void BuildCommon();
  void BuildByteBpe();
  void BuildSentencePiece();
  void EncodeFragment(std::string_view text, Workspace* work, std::vector<int32_t>* out) const;
  void EncodeWord(std::string_view word, Workspace* work, std::vector<int32_t>* out) const;
  void EncodeWordSlow(std::string_view word, Workspace* work, std::vector<int32_t>* out) const;
  void EncodeSpaced(std::string_view text, bool prefix, Workspace* work,
                    std::vector<int32_t>* out) const;
  void PutByte(uint8_t byte, std::vector<int32_t>* out) const;
};

void Tokenizer::Impl::BuildCommon() {
  const size_t count = spec.tokens.size();
  if (count == 0 || count > 0x7fffff) throw Error(Join(origin, ": a vocabulary of ", count));
  spec.kinds.resize(count, TokenKind::kNormal);
  byte_token.fill(-1);
  by_text = StringIndex(count);
  for (size_t i = 0; i < count; ++i) {
    const auto id = static_cast<int32_t>(i);
    by_text.Add(spec.tokens[i], id);
    const TokenKind kind = spec.kinds[i];
    if (kind == TokenKind::kControl || kind == TokenKind::kUnknown) {
      specials.Add(spec.tokens[i], id, true);
    } else if (kind == TokenKind::kUserDefined) {
      specials.Add(spec.tokens[i], id, false);
    }
  }
  const auto check = [&](int32_t id, const char* what) {
    if (id >= static_cast<int32_t>(count)) {
      throw Error(Join(origin, ": the ", what, " id ", id, " is outside the vocabulary"));
    }
  };
  check(spec.bos, "BOS");
  check(spec.eos, "EOS");
  check(spec.eot, "EOT");
  check(spec.unknown, "unknown");
  for (const int32_t id : spec.stop) check(id, "stop");
}

void Tokenizer::Impl::BuildByteBpe() {
  const size_t count = spec.tokens.size();
  const ByteAlphabet& alphabet = ByteAlphabet::Get();
  bytes.resize(count);
  by_bytes = StringIndex(count);
  for (size_t i = 0; i < count; ++i) {
    const TokenKind kind = spec.kinds[i];
    const bool plain = kind != TokenKind::kNormal && kind != TokenKind::kByte;
    if (plain || !alphabet.ToBytes(spec.tokens[i], &bytes[i])) bytes[i] = spec.tokens[i];
    if (kind != TokenKind::kNormal) continue;
    by_bytes.Add(bytes[i], static_cast<int32_t>(i));
    if (bytes[i].size() == 1)
      byte_token[static_cast<uint8_t>(bytes[i][0])] = static_cast<int32_t>(i);
  }
  if (spec.ranks_are_ids) {
    // Every split of every token whose halves are tokens.
    std::vector<std::array<int32_t, 3>> pairs;
    for (size_t i = 0; i < count; ++i) {
      if (spec.kinds[i] != TokenKind::kNormal) continue;
      const std::string_view token = bytes[i];
      for (size_t cut = 1; cut < token.size(); ++cut) {
        const int32_t left = by_bytes.Find(token.substr(0, cut));
        if (left < 0) continue;
        const int32_t right = by_bytes.Find(token.substr(cut));
        if (right >= 0) pairs.push_back({left, right, static_cast<int32_t>(i)});
      }
    }
    merges = MergeTable(pairs.size());
    for (const auto& [left, right, joined] : pairs) {
      merges.Add(left, right, static_cast<uint32_t>(joined), joined);
    }
  } else {
    merges = MergeTable(spec.merges.size());
    std::string joined_text;
    for (size_t rank = 0; rank < spec.merges.size(); ++rank) {
      const auto& [left_text, right_text] = spec.merges[rank];
      joined_text.assign(left_text).append(right_text);
      const int32_t left = by_text.Find(left_text), right = by_text.Find(right_text);
      const int32_t joined = by_text.Find(joined_text);
      if (left < 0 || right < 0 || joined < 0) {
        throw Error(Join(origin, ": merge ", rank, " joins \"", left_text, "\" and \"", right_text,
                         "\", which are not all tokens of the vocabulary"));
      }
      merges.Add(left, right, static_cast<uint32_t>(rank), joined);
    }
  }
  splitter = std::make_unique<Splitter>(FindPreTokenizer(spec.pre, origin).pattern);
}

void Tokenizer::Impl::BuildSentencePiece() {
  const size_t count = spec.tokens.size();
  if (spec.scores.size() != count) {
    throw Error(Join(origin, ": ", spec.scores.size(), " scores for ", count, " tokens"));
  }
  bytes.resize(count);
  by_bytes = StringIndex(count);
  cut_at_spaces = true;
  for (size_t i = 0; i < count; ++i) {
    const std::string& text = spec.tokens[i];
    if (spec.kinds[i] == TokenKind::kByte) {
      unsigned value = 0;
      if (std::sscanf(text.c_str(), "<0x%2X>", &value) != 1 || text.size() != 6) {
        throw Error(Join(origin, ": the byte token ", text, " is not of the form <0x41>"));
      }
      bytes[i] = std::string(1, static_cast<char>(value));
      byte_token[value] = static_cast<int32_t>(i);
      continue;
    }
    for (size_t at = 0; at < text.size();) {
      if (text.compare(at, kSpaceMark.size(), kSpaceMark) == 0) {
        bytes[i] += ' ';
        at += kSpaceMark.size();
      } else {
        bytes[i] += text[at++];
      }
    }
    if (spec.kinds[i] == TokenKind::kControl) bytes[i] = text;
    by_bytes.Add(text, static_cast<int32_t>(i));
    size_t after_marks = 0;
    while (text.compare(after_marks, kSpaceMark.size(), kSpaceMark) == 0) {
      after_marks += kSpaceMark.size();
    }
    if (text.find(kSpaceMark, after_marks) != std::string::npos) cut_at_spaces = false;
  }
  // A rank for each token: the best score first; equal scores are equal ranks.
  std::vector<int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](int32_t a, int32_t b) { return spec.scores[a] > spec.scores[b]; });
  std::vector<uint32_t> rank(count);
  for (size_t i = 0; i < count; ++i) {
    const bool equal = i > 0 && spec.scores[order[i]] == spec.scores[order[i - 1]];
    rank[order[i]] = equal ? rank[order[i - 1]] : static_cast<uint32_t>(i);
  }
  const auto piece = [&](std::string_view text) -> int32_t {
    const int32_t id = by_bytes.Find(text);
    if (id >= 0 || Utf8Length(text) != text.size()) return id;
    const auto [at, added] = inner_characters.emplace(
        std::string(text), static_cast<int32_t>(count + inner_characters.size()));
    return at->second;
  };
  std::vector<std::array<int32_t, 3>> pairs;
  for (size_t i = 0; i < count; ++i) {
    const TokenKind kind = spec.kinds[i];
    if (kind == TokenKind::kByte || kind == TokenKind::kControl || kind == TokenKind::kUnknown) {
      continue;
    }
    const std::string_view text = spec.tokens[i];
    for (size_t cut = Utf8Length(text); cut != 0 && cut < text.size();) {
      const int32_t left = piece(text.substr(0, cut)), right = piece(text.substr(cut));
      if (left >= 0 && right >= 0) pairs.push_back({left, right, static_cast<int32_t>(i)});
      const size_t step = Utf8Length(text.substr(cut));
      if (step == 0) break;
      cut += step;
    }
  }
  merges = MergeTable(pairs.size());
  for (const auto& [left, right, joined] : pairs) merges.Add(left, right, rank[joined], joined);
}

void Tokenizer::Impl::PutByte(uint8_t byte, std::vector<int32_t>* out) const {
  const int32_t id = byte_token[byte] >= 0 ? byte_token[byte] : spec.unknown;
  if (id < 0) {
    throw Error(Join(origin, ": the vocabulary has no token for the byte ", int{byte},
                     " and none for unknown text"));
  }
  out->push_back(id);
}

void Tokenizer::Impl::EncodeWordSlow(std::string_view word, Workspace* work,
                                     std::vector<int32_t>* out) const {
  std::vector<int32_t>& symbols = work->symbols;
  symbols.clear();
  if (spec.kind == TokenizerKind::kByteBpe) {
    if (spec.ignore_merges) {
      const int32_t whole = by_bytes.Find(word);
      if (whole >= 0) {
        out->push_back(whole);
        return;
      }
    }
    for (const char c : word) {
      const int32_t id = byte_token[static_cast<uint8_t>(c)];
      symbols.push_back(id >= 0 ? id : -1 - static_cast<uint8_t>(c));
    }
    merges.Apply(&symbols);
    for (const int32_t symbol : symbols) {
      if (symbol >= 0) {
        out->push_back(symbol);
      } else {
        PutByte(static_cast<uint8_t>(-1 - symbol), out);
      }
    }
    return;
  }
  // SentencePiece: characters; one that is no token is remembered by its place (negative).
  const auto count = static_cast<int32_t>(spec.tokens.size());
  for (size_t at = 0; at < word.size();) {
    const size_t length = std::max<size_t>(1, Utf8Length(word.substr(at)));
    const std::string_view character = word.substr(at, length);
    int32_t id = by_bytes.Find(character);
    if (id < 0 && !inner_characters.empty()) {
      const auto inner = inner_characters.find(std::string(character));
      if (inner != inner_characters.end()) id = inner->second;
    }
    symbols.push_back(id >= 0 ? id : -1 - static_cast<int32_t>(at));
    at += length;
  }
  merges.Apply(&symbols);
  for (const int32_t symbol : symbols) {
    if (symbol >= 0 && symbol < count) {
      out->push_back(symbol);
      continue;
    }
    std::string character;
    if (symbol < 0) {
      const auto at = static_cast<size_t>(-1 - symbol);
      character = word.substr(at, std::max<size_t>(1, Utf8Length(word.substr(at))));
    } else {
      for (const auto& [text, id] : inner_characters) {
        if (id == symbol) character = text;
      }
    }
    if (byte_token[static_cast<uint8_t>(character[0])] < 0 && spec.unknown >= 0) {
      out->push_back(spec.unknown);  // no byte fallback: one unknown token a character
    } else {
      for (const char c : character) PutByte(static_cast<uint8_t>(c), out);
    }
  }
}

void Tokenizer::Impl::EncodeWord(std::string_view word, Workspace* work,
                                 std::vector<int32_t>* out) const {
  if (work->cache.Find(word, out)) return;
  const size_t begin = out->size();
  EncodeWordSlow(word, work, out);
  work->cache.Put(word, std::span(*out).subspan(begin));
}

// Spaces are marks already here or become marks; cut before the first mark of each run of marks.
void Tokenizer::Impl::EncodeSpaced(std::string_view text, bool prefix, Workspace* work,
                                   std::vector<int32_t>* out) const {
  std::string marked;
  marked.reserve(text.size() + text.size() / 2 + 3);
  if (prefix) marked += kSpaceMark;
  for (const char c : text) {
    if (c == ' ') {
      marked += kSpaceMark;
    } else {
      marked += c;
    }
  }
  if (!cut_at_spaces) {
    EncodeWord(marked, work, out);
    return;
  }
  const std::string_view all = marked;
  size_t begin = 0;
  while (begin < all.size()) {
    size_t at = begin;
    while (all.substr(at, kSpaceMark.size()) == kSpaceMark) at += kSpaceMark.size();
    const size_t end = std::min(all.find(kSpaceMark, at), all.size());
    EncodeWord(all.substr(begin, end - begin), work, out);
    begin = end;
  }
}

void Tokenizer::Impl::EncodeFragment(std::string_view text, Workspace* work,
                                     std::vector<int32_t>* out) const {
  while (!text.empty()) {
    const size_t valid = Utf8ValidPrefix(text);
    const std::string_view run = text.substr(0, valid);
    for (size_t at = 0; at < run.size();) {
      const size_t end = splitter->Next(run, at, work->split.get());
      EncodeWord(run.substr(at, end - at), work, out);
      at = end;
    }
    size_t bad = valid;
    while (bad < text.size() && Utf8Length(text.substr(bad)) == 0) ++bad;
    if (bad > valid) EncodeWord(text.substr(valid, bad - valid), work, out);
    text.remove_prefix(bad);
  }
}

Tokenizer::Tokenizer(TokenizerSpec spec, std::string origin) : impl_(std::make_unique<Impl>()) {
  impl_->spec = std::move(spec);
  impl_->origin = std::move(origin);
  impl_->BuildCommon();
  if (impl_->spec.kind == TokenizerKind::kByteBpe) {
    impl_->BuildByteBpe();
  } else {
    impl_->BuildSentencePiece();
  }
  impl_->spec.merges = {};
}

Tokenizer::~Tokenizer() = default;

std::vector<int32_t> Tokenizer::Encode(std::string_view text, const EncodeOptions& options) const {
  const Impl& impl = *impl_;
  std::unique_ptr<Impl::Workspace> work;
  {
    const std::lock_guard lock(impl.mutex);
    if (!impl.idle.empty()) {
      work = std::move(impl.idle.back());
      impl.idle.pop_back();
    }
  }
  if (work == nullptr) {
    work = std::make_unique<Impl::Workspace>();
    if (impl.splitter != nullptr) work->split = impl.splitter->NewState();
  }
  std::vector<int32_t> out;
  out.reserve(text.size() / 3 + 8);
  if (options.add_special && impl.spec.add_bos && impl.spec.bos >= 0) out.push_back(impl.spec.bos);
  bool after_special = true;
  for (size_t at = 0; at < text.size();) {
    const SpecialTokens::Match match = impl.specials.Find(text, at, options.parse_special);
    const size_t end = std::min(match.begin, text.size());
    const std::string_view fragment = text.substr(at, end - at);
    if (!fragment.empty()) {
      if (impl.spec.kind == TokenizerKind::kByteBpe) {
        impl.EncodeFragment(fragment, work.get(), &out);
      } else {
        impl.EncodeSpaced(fragment, impl.spec.add_space_prefix && after_special, work.get(), &out);
      }
      after_special = false;
    }
    at = end;
    if (match.id >= 0) {
      out.push_back(match.id);
      at = match.end;
      after_special = true;
    }
  }
  if (options.add_special && impl.spec.add_eos && impl.spec.eos >= 0) out.push_back(impl.spec.eos);
  const std::lock_guard lock(impl.mutex);
  impl.idle.push_back(std::move(work));
  return out;
}

const std::string& Tokenizer::Bytes(int32_t id) const {
  if (id < 0 || id >= size()) {
    throw Error(Join(impl_->origin, ": the token ", id, " is outside the vocabulary of ", size()));
  }
  return impl_->bytes[static_cast<size_t>(id)];
}

bool Tokenizer::IsControl(int32_t id) const {
  Bytes(id);
  return impl_->Is(id, TokenKind::kControl) || impl_->Is(id, TokenKind::kUnused);
}

std::string Tokenizer::Decode(std::span<const int32_t> ids, bool with_special) const {
  std::string out;
  bool at_start = true;
  for (const int32_t id : ids) {
    const bool control = IsControl(id);
    if (control && !with_special) continue;
    std::string_view bytes = Bytes(id);
    if (at_start && !control) {
      if (impl_->spec.kind == TokenizerKind::kSentencePiece && impl_->spec.add_space_prefix &&
          bytes.starts_with(' ')) {
        bytes.remove_prefix(1);
      }
      at_start = false;
    }
    out += bytes;
  }
  return out;
}

int32_t Tokenizer::size() const {
  return static_cast<int32_t>(impl_->spec.tokens.size());
}
const TokenizerSpec& Tokenizer::spec() const {
  return impl_->spec;
}
bool Tokenizer::IsStop(int32_t id) const {
  const auto& stop = impl_->spec.stop;
  return std::find(stop.begin(), stop.end(), id) != stop.end();
}
int32_t Tokenizer::FindToken(std::string_view text) const {
  return impl_->by_text.Find(text);
}

namespace {
constexpr std::string_view kReplacement = "\xef\xbf\xbd";
}

std::string StreamDecoder::Push(int32_t id) {
  const bool control = tokenizer_.IsControl(id);
  if (control && !with_special_) return "";
  if (at_start_ && !control) {
    waiting_ += tokenizer_.Decode(std::span(&id, 1), true);
    at_start_ = false;
  } else {
    waiting_ += tokenizer_.Bytes(id);
  }
  std::string out;
  std::string_view rest = waiting_;
  while (!rest.empty()) {
    const size_t valid = Utf8ValidPrefix(rest);
    out += rest.substr(0, valid);
    rest.remove_prefix(valid);
    if (rest.empty() || Utf8IsIncomplete(rest)) break;
    out += kReplacement;
    rest.remove_prefix(1);
  }
  waiting_ = std::string(rest);
  return out;
}

std::string StreamDecoder::Finish() {
  std::string out;
  if (!waiting_.empty()) out = kReplacement;
  waiting_.clear();
  at_start_ = true;
  return out;
}

}  // namespace trit
