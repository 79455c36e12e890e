// The page of a tuning run: what was decided, how the searches converged, what the space looks like
// and how the families compare.
#pragma once

#include <span>
#include <string>

#include "runtime/records/record.h"

namespace trit {

// `manifest` is the tuned library's manifest.json (autotune/tune/library.h), `records` the database
// of the run. Throws Error when the manifest is not one.
std::string TuningPage(const std::string& manifest, std::span<const Record> records);

}  // namespace trit
