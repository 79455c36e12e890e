// UTF-8: lengths, validity, encoding. Overlong forms, surrogates and values past U+10FFFF are
// invalid everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace trit {

// Bytes of the valid character at the beginning of `text`; 0 when there is none.
inline size_t Utf8Length(std::string_view text) {
  if (text.empty()) return 0;
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const auto tail = [&](size_t i) { return i < text.size() && (byte(i) & 0xc0) == 0x80; };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return tail(1) ? 2 : 0;
  if (lead < 0xf0) {
    if (!tail(1) || !tail(2)) return 0;
    if (lead == 0xe0 && byte(1) < 0xa0) return 0;
    if (lead == 0xed && byte(1) >= 0xa0) return 0;
    return 3;
  }
  if (lead > 0xf4 || !tail(1) || !tail(2) || !tail(3)) return 0;
  if (lead == 0xf0 && byte(1) < 0x90) return 0;
  if (lead == 0xf4 && byte(1) >= 0x90) return 0;
  return 4;
}

// How many bytes from the beginning are valid UTF-8.
inline size_t Utf8ValidPrefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    // Eight ASCII bytes at once: most text is that.
    while (at + 8 <= text.size()) {
      uint64_t word;
      __builtin_memcpy(&word, text.data() + at, 8);
      if ((word & 0x8080808080808080u) != 0) break;
      at += 8;
    }
    const size_t length = Utf8Length(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

// True when `text` could be the beginning of one valid character that is not complete yet.
inline bool Utf8IsIncomplete(std::string_view text) {
  if (text.empty() || text.size() > 3) return false;
  const auto lead = static_cast<uint8_t>(text[0]);
  const size_t wanted = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (wanted <= text.size()) return false;
  // A completion exists when some continuation makes it valid: try the two extremes of each range.
  for (const char second : {'\x80', '\x90', '\xa0', '\xbf'}) {
    std::string attempt(text);
    if (attempt.size() == 1) attempt += second;
    while (attempt.size() < wanted) attempt += '\x80';
    if (Utf8Length(attempt) == wanted) return true;
  }
  return false;
}

inline void AppendUtf8(uint32_t code, std::string* out) {
  if (code < 0x80) {
    *out += static_cast<char>(code);
  } else if (code < 0x800) {
    *out += static_cast<char>(0xc0 | code >> 6);
    *out += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    *out += static_cast<char>(0xe0 | code >> 12);
    *out += static_cast<char>(0x80 | (code >> 6 & 63));
    *out += static_cast<char>(0x80 | (code & 63));
  } else {
    *out += static_cast<char>(0xf0 | code >> 18);
    *out += static_cast<char>(0x80 | (code >> 12 & 63));
    *out += static_cast<char>(0x80 | (code >> 6 & 63));
    *out += static_cast<char>(0x80 | (code & 63));
  }
}

// The code point of the valid character at the beginning of `text`.
inline uint32_t DecodeUtf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  switch (Utf8Length(text)) {
    case 2:
      return (byte(0) & 31) << 6 | (byte(1) & 63);
    case 3:
      return (byte(0) & 15) << 12 | (byte(1) & 63) << 6 | (byte(2) & 63);
    case 4:
      return (byte(0) & 7) << 18 | (byte(1) & 63) << 12 | (byte(2) & 63) << 6 | (byte(3) & 63);
    default:
      return byte(0);
  }
}

}  // namespace trit
