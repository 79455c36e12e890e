// From decisions to the tuned library in the user's cache (runtime/tuned/tuned_library.h).
#pragma once

#include <string>
#include <vector>

#include "autotune/tune/tuner.h"

namespace trit {

// Rows of the tuned library: promoted choices for their exact shapes first, then, for each layout
// that came in with them, rows for any shape, then the shipped rows.
std::vector<DefaultRow> TunedRows(const Catalogue& catalogue,
                                  const std::vector<TunedChoice>& choices);

// What of earlier decisions stays beside new ones: those of shapes and thread counts that the new
// run did not look at, and, where it ran out of time without a winner, those that stood before
// (unless the new run overruled them: LibraryCheck).
std::vector<TunedChoice> MergeChoices(const std::vector<TunedChoice>& earlier,
                                      const TuneResult& result);

struct LandedLibrary {
  std::string path;      // of the shared library
  std::string manifest;  // JSON: decisions with reasons, rows, records' signature, build
  std::vector<TunedChoice> choices;  // all that stand in it, those of earlier runs as well
};

// Merges with what the folder's manifest holds (of the same generator and target), builds the rows'
// kernels, links them, writes library, manifest and at last `current`. On any failure the library
// that was there stays in use.
LandedLibrary LandTunedLibrary(const Catalogue& catalogue, const TunePlan& plan,
                               const TuneResult& result, const std::string& folder);

// Library ("" = none), manifest and at last `current`, each whole or not at all, so that a reader
// finds the library that was there or the new one at any moment. Throws Error when the disk is
// full; what was there then stays in use.
void PutLibrary(const std::string& folder, const std::string& bytes, const std::string& manifest);

// The manifest again, with what became known of the choices in `checked` since.
void RewriteManifest(const Catalogue& catalogue, const TunePlan& plan, const TuneResult& checked,
                     LandedLibrary* landed);

// Decisions of the manifest in `folder`; empty when there is none of this generator and target.
std::vector<TunedChoice> ReadChoices(const std::string& folder, const std::string& target);

// The JSON of a result; `complete` tells a later run whether anything is left to do.
std::string ResultJson(const Catalogue& catalogue, const TunePlan& plan, const TuneResult& result,
                       const std::string& library);

// Everything that decides what a tune with this plan would do, hashed.
std::string PlanKey(const Catalogue& catalogue, const TunePlan& plan);

// Decisions of an earlier run with the same key that needs no more work: finished, or given at
// least this budget. Its library must still be the current one.
bool ReadFinishedResult(const std::string& folder, const std::string& key, double budget_s,
                        TuneResult* result);

}  // namespace trit
