// Where the toolkit keeps things of this user, by the XDG base directory rules.
#pragma once

#include <string>

namespace trit {

// $TRITFORGE_DB, else $XDG_DATA_HOME/tritforge/records.jsonl (~/.local/share without it). Records
// are data, not cache: they cost hours and are not made again by themselves.
std::string DefaultDatabasePath();

// $XDG_CACHE_HOME/tritforge (~/.cache/tritforge without it). Throws Error when neither it nor HOME
// is set; relative paths in the variables are ignored, as the rules ask.
std::string CacheFolder();

}  // namespace trit
