// Carrying records between machines: export, import, merge; and keeping a database clean.
//
// An export is a text file: a sealed header line {"tritforge_records":1,"sig":..,"count":N,
// "content":hash} followed by N sealed record lines, `content` being the hash of those lines. A
// file that is cut, edited or of another version or signature is refused as a whole, before
// anything is written.
//
// Conflict rules of a merge. A record is never changed or overwritten, and its identity is its
// content, so two records are either the same line or different measurements:
//   same line on both sides            kept once
//   same host, workload and candidate  all kept; an answer pools their samples
//   ok on one side, wrong on the other both kept; wrong wins every answer (lookup.h)
//   crash or hang on one side          both kept; an ok record elsewhere still counts
//   another signature                  kept, unused
// The result is sorted by time, session, sequence and line, so merging in any order, or twice,
// gives the same bytes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autotune/records/database.h"

namespace trit {

using RecordFilter = std::function<bool(const Record&)>;

// Returns the number of records written (records of the database's signature that pass).
int ExportRecords(const Database& database, const std::string& path, const RecordFilter& filter);

struct ImportResult {
  int added = 0;
  int known = 0;
};
// All or nothing. Throws Error saying why the file is refused.
ImportResult ImportRecords(Database* database, const std::string& path);

struct MergeResult {
  int records = 0;     // in the result
  int duplicates = 0;  // lines that were there already
  int damaged = 0;     // lines left out
};
// Database files and exports in, one database file out (atomically, safe beside writers). What
// `out` holds already stays: it may be one of the inputs or not.
MergeResult MergeFiles(const std::vector<std::string>& inputs, const std::string& out);

struct PruneResult {
  int kept = 0;
  int dropped = 0;
};
// Drops damaged lines and records that `drop` says; all or nothing, safe beside writers.
PruneResult PruneRecords(Database* database, const RecordFilter& drop);

}  // namespace trit
