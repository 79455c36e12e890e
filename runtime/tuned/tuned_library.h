// The kernel library that tuning made for this machine, if there is one.
//
//   <cache>/tritforge/tuned/<Host::Key()>/current      what to load, written last, by rename
//   <cache>/tritforge/tuned/<Host::Key()>/<hash>.so    the library itself
//
// <cache> is $XDG_CACHE_HOME or ~/.cache. `current` is five lines "key value": format, host,
// library, bytes, hash. A library counts only when all of it fits: another machine's folder that
// was copied here, a file that is cut or was changed, or one of another format is ignored with one
// sentence. What it holds is then checked by KernelLibrary::FromFile like any other file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trit {

struct TunedLibrary {
  std::string path;    // of the shared library; "" = none is used
  std::string reason;  // why none is used; "" = there simply is none, or it is used
};

// "" when neither XDG_CACHE_HOME nor HOME names a folder, or TRIT_TUNED=off.
std::string TunedFolder();

TunedLibrary FindTunedLibrary(const std::string& folder = TunedFolder());

// Kernel library files for a KernelSet: those the caller names and then the tuned one, if it can be
// used. Why it cannot is added to `notes`, a sentence; nothing is thrown for it.
std::vector<std::string> WithTunedLibrary(std::vector<std::string> named,
                                          std::vector<std::string>* notes);

// The text of `current` for a library with these bytes.
std::string DescribeTunedLibrary(std::string_view library_name, std::string_view bytes);

// 16 hex digits (FNV-1a, 64 bits): finds accidents, not attacks.
std::string ContentHash(std::string_view bytes);

}  // namespace trit
