// What this program is, for records: the signature of everything registered with it and the
// identity of its build.
#pragma once

#include <string>

#include "runtime/records/record.h"

namespace trit {

// Families with their ideas and spaces on every target they support, and the targets' features.
const std::string& ProgramSignature();

BuildIdentity ProgramBuild();

}  // namespace trit
