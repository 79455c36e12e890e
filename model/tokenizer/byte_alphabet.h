// GPT-2's printable alphabet: byte-level vocabularies write each byte as one visible character.
// Bytes 33..126, 161..172 and 174..255 are themselves; the other 68 are U+0100 onwards in order.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "model/tokenizer/utf8.h"

namespace trit {

class ByteAlphabet {
 public:
  static const ByteAlphabet& Get() {
    static const ByteAlphabet alphabet;
    return alphabet;
  }

  void Append(uint8_t byte, std::string* out) const { AppendUtf8(code_of_[byte], out); }
  std::string ToText(std::string_view bytes) const {
    std::string out;
    for (const char byte : bytes) Append(static_cast<uint8_t>(byte), &out);
    return out;
  }

  // False when a character is not of the alphabet; then `out` holds nothing of use.
  bool ToBytes(std::string_view text, std::string* out) const {
    out->clear();
    while (!text.empty()) {
      const size_t length = Utf8Length(text);
      if (length == 0) return false;
      const uint32_t code = DecodeUtf8(text);
      if (code >= byte_of_.size() || byte_of_[code] < 0) return false;
      *out += static_cast<char>(byte_of_[code]);
      text.remove_prefix(length);
    }
    return true;
  }

 private:
  ByteAlphabet() {
    byte_of_.fill(-1);
    uint32_t next = 256;
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const bool visible =
          (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
      code_of_[byte] = visible ? byte : next++;
      byte_of_[code_of_[byte]] = static_cast<int16_t>(byte);
    }
  }

  std::array<uint32_t, 256> code_of_{};
  std::array<int16_t, 324> byte_of_{};
};

}  // namespace trit
