// The chat page: page/chat.html, embedded when the program is built.
#pragma once

#include <string_view>

namespace trit::serve {

// "@NONCE@" stands where the answer's Content-Security-Policy nonce goes.
std::string_view PageHtml();

}  // namespace trit::serve
