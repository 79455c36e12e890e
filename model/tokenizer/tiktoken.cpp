#include "model/tokenizer/tiktoken.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "model/tokenizer/byte_alphabet.h"
#include "model/tokenizer/string_index.h"
#include "targets/base/error.h"

namespace trit {
namespace {

bool DecodeBase64(std::string_view text, std::string* out) {
  out->clear();
  while (text.ends_with('=')) text.remove_suffix(1);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    uint32_t value;
    if (c >= 'A' && c <= 'Z') {
      value = static_cast<uint32_t>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      value = static_cast<uint32_t>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      value = static_cast<uint32_t>(c - '0') + 52;
    } else if (c == '+') {
      value = 62;
    } else if (c == '/') {
      value = 63;
    } else {
      return false;
    }
    bits = (bits << 6 | value) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      *out += static_cast<char>(bits >> count & 255);
    }
  }
  return !out->empty();
}

std::string SpecialText(int index) {
  switch (index) {
    case 0:
      return "<|begin_of_text|>";
    case 1:
      return "<|end_of_text|>";
    case 2:
      return "<|reserved_special_token_0|>";
    case 3:
      return "<|reserved_special_token_1|>";
    case 4:
      return "<|finetune_right_pad_id|>";
    case 5:
      return "<|reserved_special_token_2|>";
    case 6:
      return "<|start_header_id|>";
    case 7:
      return "<|end_header_id|>";
    case 8:
      return "<|eom_id|>";
    case 9:
      return "<|eot_id|>";
    case 10:
      return "<|python_tag|>";
    default:
      return Join("<|reserved_special_token_", index - 8, "|>");
  }
}

}  // namespace

TokenizerSpec ReadTiktoken(std::string_view text, const std::string& origin) {
  TokenizerSpec spec;
  spec.pre = "llama-bpe";
  spec.ignore_merges = true;
  spec.ranks_are_ids = true;
  std::string bytes;
  uint64_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    const size_t space = line.find(' ');
    uint64_t rank = 0;
    if (space == std::string_view::npos || !DecodeBase64(line.substr(0, space), &bytes) ||
        std::from_chars(line.data() + space + 1, line.data() + line.size(), rank).ec !=
            std::errc()) {
      throw Error(Join(origin, ": line ", line_number, " is not base64, a space and a rank"));
    }
    if (rank != spec.tokens.size()) {
      throw Error(Join(origin, ": line ", line_number, " has rank ", rank, " where ",
                       spec.tokens.size(), " was expected"));
    }
    spec.tokens.push_back(ByteAlphabet::Get().ToText(bytes));
  }
  if (spec.tokens.empty()) throw Error(Join(origin, " holds no ranks"));
  spec.kinds.assign(spec.tokens.size(), TokenKind::kNormal);
  const auto base = static_cast<int32_t>(spec.tokens.size());
  for (int i = 0; i < 256; ++i) {
    spec.tokens.push_back(SpecialText(i));
    spec.kinds.push_back(TokenKind::kControl);
  }
  spec.bos = base;
  spec.eos = base + 1;
  spec.eot = base + 9;
  spec.stop = {base + 1, base + 9};
  spec.add_bos = true;
  spec.add_space_prefix = false;
  return spec;
}

void RanksToMerges(TokenizerSpec* spec) {
  const ByteAlphabet& alphabet = ByteAlphabet::Get();
  const size_t count = spec->tokens.size();
  std::vector<std::string> bytes(count);
  StringIndex index(count);
  for (size_t i = 0; i < count; ++i) {
    if (spec->kinds[i] != TokenKind::kNormal || !alphabet.ToBytes(spec->tokens[i], &bytes[i])) {
      bytes[i].clear();
      continue;
    }
    index.Add(bytes[i], static_cast<int32_t>(i));
  }
  spec->merges.clear();
  std::vector<std::array<int32_t, 2>> splits;
  for (const std::string& token : bytes) {
    splits.clear();
    for (size_t cut = 1; cut < token.size(); ++cut) {
      const std::string_view text = token;
      const int32_t left = index.Find(text.substr(0, cut)), right = index.Find(text.substr(cut));
      if (left >= 0 && right >= 0) splits.push_back({left, right});
    }
    std::sort(splits.begin(), splits.end());
    for (const auto& [left, right] : splits) {
      spec->merges.emplace_back(spec->tokens[left], spec->tokens[right]);
    }
  }
  spec->ranks_are_ids = false;
}

}  // namespace trit
