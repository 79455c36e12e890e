// What was measured, from whatever file: records of tritforge and trit, or Google Benchmark's JSON.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "autotune/compare/compare.h"

namespace trit {

struct Measurement {
  std::string workload;  // what is compared: "matmul shipped m=1 n=640 k=2560 threads=1 cold"
  std::string candidate, target;
  std::vector<double> ns;  // of one call, in the order taken
  double bytes = 0, ops = 0;
  double roof_bytes_per_s = 0, roof_ops_per_s = 0;  // 0 = not measured
  int threads = 0;
  int64_t tokens = 0;  // m
  int64_t time_s = 0;
  std::string suite, name, session;
  int64_t n = 0, k = 0;
  std::string build;  // everything known of the build, for people
  std::string commit;
  std::string host, host_key;  // host: for people
  std::string file;            // its name without folders
  int line = 0;                // 1-based; of Google Benchmark's JSON: number of the benchmark

  double MedianNs() const;
  // Of the roofs measured beside it; 0 when they were not.
  double ReadRoofFraction() const;
  double OpsRoofFraction() const;
};

// Everything measured that passed its check, in file order. A folder: every .jsonl and .json in it,
// sorted by name. Throws Error naming the file when one is neither records nor Google Benchmark's
// JSON (real_time of repetitions; its aggregates are left out), or when there is nothing at all.
std::vector<Measurement> ReadMeasurements(const std::string& path);

// By workload. Where several candidates were timed for one (a tuner's records), the fastest of
// them: the kernel that a machine would use.
SampleSet BestOfEach(std::span<const Measurement> measurements);

}  // namespace trit
