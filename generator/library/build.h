// A plan -> objects, tables, a description. Everything in memory; files are the caller's.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "generator/kernel.h"
#include "generator/library/plan.h"

namespace trit {

struct BuiltLibrary {
  const Target* target = nullptr;
  std::string symbol;                // trit_library_v1_<target>
  std::vector<ObjectPiece> objects;  // layouts, forms, kernels, tables; each name once
  ObjectPiece shared_entry;          // trit_library_v1, for shared libraries only
  nlohmann::ordered_json manifest;
};

BuiltLibrary BuildLibrary(const LibraryPlan& plan);

// The same description read back from a library's tables: equal to BuiltLibrary::manifest.
nlohmann::ordered_json DescribeTables(const trit_library& library);

}  // namespace trit
