// Looks at a shared object before dlopen does: the dynamic linker maps what the headers say and
// trusts it, so a truncated file would end in SIGBUS and a foreign one in a vague message.
#pragma once

#include <cstdint>
#include <string>

namespace trit {

// Throws trit::Error naming the file and the fault when it is not a whole 64-bit little-endian
// shared object of this program's architecture.
void CheckSharedObject(const std::string& path);

}  // namespace trit
