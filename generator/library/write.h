// Built libraries -> a folder that any C program can use:
//
//   lib/libtrit_kernels_<target>.a and .so, lib/cmake/TritKernels/TritKernelsConfig.cmake
//   obj/<target>/*.o
//   include/trit_kernel.h (the ABI) and trit_kernels.h (the libraries' symbols)
//   example/example.c, manifest.json
#pragma once

#include <string>
#include <vector>

#include "generator/library/build.h"

namespace trit {

// Writes every file whole or not at all (temporary name, then rename). The shared libraries are
// linked by the C compiler driver ($CC, else cc); without one this throws naming it, after the
// rest is written.
void WriteLibraries(const std::vector<BuiltLibrary>& libraries, const std::string& folder);

void WriteFileAtomically(const std::string& path, std::string_view bytes);

// Objects as one static archive; the same bytes for the same objects.
std::string Archive(const std::vector<ObjectPiece>& objects);

}  // namespace trit
