// One point of a search space: a kernel family, a target and a value for every parameter.
//
// Canonical text, one line, parameters in the order of their space:
//
//     mad2 avx512vnni dot=quad unpack=reg rows=32 k=64 m_tile=1 split=2 cache=1
//
// The text is the identity of a kernel: records, tables and object names are made from it, and its
// hash is the key. Nothing parses a kernel's name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trit {

struct Setting {
  std::string name;
  std::string value;
  bool operator==(const Setting&) const = default;
};

struct Candidate {
  std::string family;
  std::string target;
  std::vector<Setting> settings;

  // The value of a parameter; throws when the candidate has none of that name. Int throws as well
  // when the value is no integer.
  const std::string& Name(std::string_view parameter) const;
  int Int(std::string_view parameter) const;

  std::string Text() const;
  std::string Key() const;  // 32 hexadecimal digits, a hash of Text()

  bool operator==(const Candidate&) const = default;
};

// Text -> candidate, syntax only: which parameters and values exist is known to the space
// (Space::Canonical). Throws trit::Error that quotes the text.
Candidate ParseCandidate(std::string_view text);

}  // namespace trit
