// Tables of a results folder, generated from its records and never written by hand:
//
//   <folder>/records/*.jsonl   ->  <folder>/tables/kernels.md, <folder>/tables/models.md
//                              ->  the README beside the folder, between the lines
//                                  <!-- results: begin --> and <!-- results: end -->
//
// A workload's row is its newest record on its host.
#pragma once

#include <map>
#include <span>
#include <string>

#include "autotune/compare/measurements.h"

namespace trit {

// Every kernel workload that has a name ("shipped", "lut3w avx512vbmi"), by host.
std::string KernelTable(std::span<const Measurement> measurements);
// Whole runs of models.
std::string ModelTable(std::span<const Measurement> measurements);
// Models and shipped kernels of the host measured last: what a reader of the README wants.
std::string ReadmeTables(std::span<const Measurement> measurements);

// The text with the part between the markers replaced. Throws Error when the markers are not there
// exactly once, in order.
std::string WithResults(const std::string& readme, const std::string& tables);

// What the files of a results folder should hold: path -> text. Reads records and README.
std::map<std::string, std::string> ResultFiles(const std::string& folder);

}  // namespace trit
