#include "schedules/candidate.h"

#include <xxhash.h>

#include <charconv>

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr size_t kMaxText = 4096;  // a candidate is a line; anything longer is no candidate

bool IsWord(std::string_view word) {
  if (word.empty()) return false;
  for (char c : word) {
    const bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-' || c == '.' || c == '+';
    if (!ok) return false;
  }
  return true;
}

std::vector<std::string_view> Split(std::string_view text) {
  std::vector<std::string_view> words;
  size_t at = 0;
  while (at < text.size()) {
    if (text[at] == ' ' || text[at] == '\t') {
      ++at;
      continue;
    }
    size_t end = at;
    while (end < text.size() && text[end] != ' ' && text[end] != '\t') ++end;
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

}  // namespace

const std::string& Candidate::Name(std::string_view parameter) const {
  for (const Setting& s : settings) {
    if (s.name == parameter) return s.value;
  }
  throw Error(Join("the candidate \"", Text(), "\" has no parameter \"", parameter, "\""));
}

int Candidate::Int(std::string_view parameter) const {
  const std::string& value = Name(parameter);
  int number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) {
    throw Error(Join("the candidate \"", Text(), "\" has ", parameter, "=", value,
                     ", which is no integer"));
  }
  return number;
}

std::string Candidate::Text() const {
  std::string text = Join(family, " ", target);
  for (const Setting& s : settings) text += Join(" ", s.name, "=", s.value);
  return text;
}

std::string Candidate::Key() const {
  const std::string text = Text();
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  std::string key(32, '0');
  const char* digits = "0123456789abcdef";
  for (int i = 0; i < 16; ++i) {
    key[15 - i] = digits[(hash.high64 >> (4 * i)) & 15];
    key[31 - i] = digits[(hash.low64 >> (4 * i)) & 15];
  }
  return key;
}

Candidate ParseCandidate(std::string_view text) {
  if (text.size() > kMaxText) {
    throw Error(Join("a candidate of ", text.size(), " characters is longer than ", kMaxText));
  }
  const auto fail = [&](const auto&... why) {
    throw Error(Join("the candidate \"", text, "\" ", why...));
  };
  const auto words = Split(text);
  if (words.size() < 2) fail("names no family and target (FAMILY TARGET name=value ...)");
  Candidate candidate;
  for (size_t i = 0; i < 2; ++i) {
    if (!IsWord(words[i])) fail("has \"", words[i], "\" where a family or target is wanted");
  }
  candidate.family = words[0];
  candidate.target = words[1];
  for (size_t i = 2; i < words.size(); ++i) {
    const size_t equals = words[i].find('=');
    if (equals == std::string_view::npos || !IsWord(words[i].substr(0, equals)) ||
        !IsWord(words[i].substr(equals + 1))) {
      fail("has \"", words[i], "\" where name=value is wanted");
    }
    Setting setting{std::string(words[i].substr(0, equals)),
                    std::string(words[i].substr(equals + 1))};
    for (const Setting& s : candidate.settings) {
      if (s.name == setting.name) fail("sets ", s.name, " twice");
    }
    candidate.settings.push_back(std::move(setting));
  }
  return candidate;
}

}  // namespace trit
