#include "model/serve/text_stream.h"

#include <algorithm>

namespace trit::serve {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// The length of the character that starts with this byte, and the range its second byte must have
// (which rules out overlong forms, surrogates and what lies past U+10FFFF); 0: no such start.
struct Lead {
  int length;
  unsigned char low, high;
};
Lead LeadOf(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte >= 0xC2 && byte <= 0xDF) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

std::string TakeUtf8(std::string* bytes) {
  std::string text;
  size_t at = 0;
  while (at < bytes->size()) {
    const Lead lead = LeadOf(static_cast<unsigned char>((*bytes)[at]));
    if (lead.length == 0) {
      text += kReplacement;
      ++at;
      continue;
    }
    int good = 1;
    while (good < lead.length && at + good < bytes->size()) {
      const auto next = static_cast<unsigned char>((*bytes)[at + good]);
      const bool fits = good == 1 ? next >= lead.low && next <= lead.high : (next & 0xC0) == 0x80;
      if (!fits) break;
      ++good;
    }
    if (good == lead.length) {
      text.append(*bytes, at, good);
      at += good;
    } else if (at + good == bytes->size()) {
      break;  // unfinished so far
    } else {
      text += kReplacement;
      at += good;
    }
  }
  bytes->erase(0, at);
  return text;
}

TextStream::TextStream(std::vector<std::string> stops) : stops_(std::move(stops)) {}

std::string TextStream::Release(size_t bytes) {
  std::string text = held_.substr(0, bytes);
  held_.erase(0, bytes);
  return text;
}

std::string TextStream::Push(std::string_view bytes) {
  if (stopped_) return "";
  partial_ += bytes;
  held_ += TakeUtf8(&partial_);

  size_t end = std::string::npos;
  for (const std::string& stop : stops_) end = std::min(end, held_.find(stop));
  if (end != std::string::npos) {
    stopped_ = true;
    std::string text = Release(end);
    held_.clear();
    return text;
  }
  // The longest end of the text that is the beginning of some stop string stays back.
  size_t keep = 0;
  for (const std::string& stop : stops_) {
    for (size_t n = std::min(stop.size() - 1, held_.size()); n > keep; --n) {
      if (std::string_view(held_).substr(held_.size() - n) == std::string_view(stop).substr(0, n)) {
        keep = n;
        break;
      }
    }
  }
  return Release(held_.size() - keep);
}

std::string TextStream::Finish() {
  if (stopped_) return "";
  if (!partial_.empty()) held_ += kReplacement;
  partial_.clear();
  return Release(held_.size());
}

}  // namespace trit::serve
