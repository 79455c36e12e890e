// Every claim of a kernel library's tables, checked; the copies that come out are safe to use.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/abi/trit_kernel.h"
#include "targets/target.h"

namespace trit {

// What may be read and called. For a file: its own segments; for a linked table: everything.
struct LibraryMemory {
  // Is [p, p + bytes) readable data of the library?
  std::function<bool(const void* p, uint64_t bytes)> data = [](const void*, uint64_t) {
    return true;
  };
  // Is p executable code of the library?
  std::function<bool(const void* p)> code = [](const void*) { return true; };
};

struct CheckedTables {
  const Target* target = nullptr;
  std::string build_id;
  std::vector<std::string> features;
  std::vector<const trit_kernel*> kernels;
  std::vector<trit_choice> choices;
};

// Throws trit::Error beginning with `name` and naming the fault.
CheckedTables CheckTables(const trit_library* library, const std::string& name,
                          const LibraryMemory& memory);

}  // namespace trit
