// The one exception of the project: a full sentence that says what was looked for, where, and what
// exists. C functions never let it out.
#pragma once

#include <charconv>
#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>

namespace trit {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace internal {
inline void Append(std::string* out, std::string_view piece) {
  out->append(piece);
}
inline void Append(std::string* out, char piece) {
  out->push_back(piece);
}
template <typename T>
requires std::is_arithmetic_v<T>
void Append(std::string* out, T value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  out->append(text, end);
}
}  // namespace internal

// Text and numbers put together: Join("row ", 3, " of ", n).
template <typename... Pieces>
std::string Join(const Pieces&... pieces) {
  std::string out;
  (internal::Append(&out, pieces), ...);
  return out;
}

}  // namespace trit
