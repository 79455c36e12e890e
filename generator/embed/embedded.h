// Files that are part of the program: C entries as bitcode, micro-ops, tuned schedules.
//   entry/<file>.<arch>.bc   families/<code>.<arch>.bc   forms/<code>.<arch>.bc
//   micro_ops/<target>.bc    bodies/<family>_<kind>.<target>.bc    tuned/<target>.txt
#pragma once

#include <string_view>

namespace trit {

bool HasEmbedded(std::string_view name);
std::string_view Embedded(std::string_view name);  // throws trit::Error naming what exists

}  // namespace trit
