// Cuts text into pre-tokens with a PCRE2 pattern, compiled once by its JIT.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace trit {

// One thread's matching state.
class SplitState;
void DestroySplitState(SplitState* state);
struct SplitStateDeleter {
  void operator()(SplitState* state) const { DestroySplitState(state); }
};
using SplitStatePtr = std::unique_ptr<SplitState, SplitStateDeleter>;

class Splitter {
 public:
  // Throws an Error with PCRE2's message when the pattern does not compile.
  explicit Splitter(std::string_view pattern);
  ~Splitter();
  Splitter(const Splitter&) = delete;
  Splitter& operator=(const Splitter&) = delete;

  SplitStatePtr NewState() const;

  // End of the pre-token that begins at `begin`, always > begin. `text` is valid UTF-8. A character
  // that no alternative matches is a pre-token of its own.
  size_t Next(std::string_view text, size_t begin, SplitState* state) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trit
