// Turns the bytes of generated tokens into text that may be sent: whole UTF-8 characters only, and
// nothing that could still turn out to be a stop string.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trit::serve {

class TextStream {
 public:
  explicit TextStream(std::vector<std::string> stops);  // none of them empty

  // Takes a token's bytes, returns the text that is now safe to send. Bytes that are not UTF-8
  // become U+FFFD. Once a stop string is complete, text ends before it and stopped() is true;
  // further bytes are ignored.
  std::string Push(std::string_view bytes);

  // The sequence ended without a stop string: returns what was held back.
  std::string Finish();

  bool stopped() const { return stopped_; }

 private:
  std::string Release(size_t bytes);

  std::vector<std::string> stops_;
  std::string partial_;  // the start of a UTF-8 character whose rest has not come yet
  std::string held_;     // valid text not yet sent
  bool stopped_ = false;
};

// Moves the valid characters at the front of *bytes to the returned text, replacing what can never
// become UTF-8; leaves an unfinished character (at most 3 bytes) in *bytes.
std::string TakeUtf8(std::string* bytes);

}  // namespace trit::serve
