// A measurement and everything needed to judge it later. Failures are records too.
//
// JSON members (schema version kRecordVersion), one object a line, sealed by line.h:
//   v, sig                 schema version; signature of everything registered when it was taken
//   time, session, seq     unix seconds; random id of the process' run; number within it
//   workload               suite, name, m, n, k
//   candidate, target      canonical candidate text; folder name in targets/
//   build                  git, compiler, halide, llvm, commit (records from before it lack it)
//   host                   key, arch, uarch, cpu, cores, l1d, l2, l3, os
//   run                    threads, mode, n_per_task, m_per_task, samples_ns, reference_ns, bytes,
//                          ops, roof_bytes_per_s, roof_ops_per_s, compile_ns
//   check                  status, detail
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/host/host.h"

namespace trit {

inline constexpr int kRecordVersion = 1;

struct Workload {
  std::string suite;  // "matmul" for kernels; "model" for whole runs
  std::string name;   // for people and for workloads that are no single product; may be empty
  int64_t m = 0, n = 0, k = 0;

  auto operator<=>(const Workload&) const = default;
  std::string Text() const;  // "matmul m=1 n=2560 k=2560"
};

struct BuildIdentity {
  // git: hash of the sources that make kernels, or whatever names them for other programs.
  std::string git, compiler, halide, llvm;
  auto operator<=>(const BuildIdentity&) const = default;
  std::string Toolchain() const;  // what decides a kernel's code: compiler versions, not git
};

enum class CheckStatus { kOk, kWrong, kCrash, kHang, kCompileFailed, kRefused };
const char* CheckStatusName(CheckStatus status);

struct Record {
  std::string signature;
  int64_t time_s = 0;
  std::string session;
  int64_t sequence = 0;
  Workload workload;
  std::string candidate;
  std::string target;
  BuildIdentity build;
  std::string commit;  // ProgramCommit(): for people and histories; two commits may be one build
  Host host;
  std::string host_key;  // Host::Key() of `host`, kept as written

  int threads = 0;
  std::string mode;  // "cold" or "hot"
  int64_t n_per_task = 0, m_per_task = 0;
  std::vector<double> samples_ns;    // of one call, in the order taken
  std::vector<double> reference_ns;  // the reference kernel in the same rounds
  double bytes = 0;                  // streamed from memory by one call
  double ops = 0;                    // multiply-accumulates of one call
  double roof_bytes_per_s = 0;       // measured on this host in the same run; 0 = not measured
  double roof_ops_per_s = 0;
  double compile_ns = 0;

  CheckStatus status = CheckStatus::kOk;
  std::string detail;

  double MedianNs() const;        // infinity unless the check was ok
  double FractionOfRoof() const;  // of the nearer roof, by the median; 0 when no roof is known
};

// The commit this program was built from, "-dirty" appended when files were changed; "" when it was
// not built in a repository.
const char* ProgramCommit();

// What is missing of a record's identity, as a sentence; "" when it is whole. An ok record needs
// samples; all of them positive and finite.
std::string MissingFrom(const Record& record);

// The JSON object. Throws Error when MissingFrom is not empty.
std::string RecordToJson(const Record& record);

// Throws Error naming the member that is absent, of a wrong type or out of range, and for another
// schema version.
Record RecordFromJson(const std::string& json);

}  // namespace trit
