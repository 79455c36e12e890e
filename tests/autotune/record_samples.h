// Whole records for the tests of the database.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

#include "runtime/records/record.h"

namespace trit {

inline Host SampleHost(const std::string& model = "17", int cores = 2) {
  return {"x86-64", "AuthenticAMD", "25",    model,    "1",        "Test CPU",
          cores,    32768,          1 << 20, 32 << 20, "Linux 6.1"};
}

inline Record SampleRecord(const std::string& candidate = "mad2 avx2 mt=1", double ns = 1000,
                           int64_t sequence = 1) {
  Record r;
  r.signature = "0123456789abcdef";
  r.time_s = 1700000000 + sequence;
  r.session = "feedfacecafebeef";
  r.sequence = sequence;
  r.workload = {"matmul", "", 1, 2560, 6912};
  r.candidate = candidate;
  r.target = "avx2";
  r.build = {"abc1234", "gcc 12.2.0", "14.0.0", "19.1.7"};
  r.host = SampleHost();
  r.host_key = r.host.Key();
  r.threads = 2;
  r.mode = "cold";
  r.samples_ns = {ns, ns * 1.02, ns * 0.99};
  r.reference_ns = {500, 501, 499};
  r.bytes = 4423680;
  r.ops = 17694720;
  r.roof_bytes_per_s = 3.6e10;
  r.roof_ops_per_s = 4e11;
  r.compile_ns = 2e8;
  return r;
}

// A folder of this test's own, removed at the end.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::string& name)
      : path_(std::filesystem::temp_directory_path() /
              ("trit-" + name + "-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string File(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace trit
