// Which micro-ops a target has: the functions that targets/<key>/micro_ops.ll defines. The file is
// the trait; families and the selection pass ask it by name.
#pragma once

#include <string_view>

#include "targets/target.h"

namespace trit {

// name: without the lanes, lanes: of the result. "trit_dot4", 16 is @trit_dot4x16 of the file.
bool HasMicroOp(const Target& target, std::string_view name, int lanes);

// Whether a family's stage in C exists for the target: families/<family>/bodies/<kind>.c and
// targets/<key>/micro_ops_<kind>.h. `body` is "<family>_<kind>".
bool HasBody(const Target& target, std::string_view body);

}  // namespace trit
