// What machine is this? The identity that records carry and that tuned libraries are keyed by.
// Tuner and runtime both use this one file, so that a library written by the one is found by the
// other.
#pragma once

#include <cstdint>
#include <string>

namespace trit {

struct Host {
  std::string arch;       // "x86-64" or "aarch64"
  std::string vendor;     // "AuthenticAMD", "0x41"
  std::string family;     // as the kernel prints them: "25", "8"
  std::string model;      // "17", "0xd40"
  std::string stepping;   // "1"
  std::string cpu;        // "AMD EPYC"
  int cores = 0;          // that this process may run on
  int64_t l1d_bytes = 0;  // a core; 0 = not known
  int64_t l2_bytes = 0;
  int64_t l3_bytes = 0;
  std::string os;  // "Linux 6.1.0"

  // Same instruction timings: vendor, family and model. "x86-64/AuthenticAMD/25/17"
  std::string Microarchitecture() const;
  // Same machine as far as kernels can tell: microarchitecture, stepping, name, caches and cores.
  // 16 hex digits; a tuned library lives in a folder of this name.
  std::string Key() const;
};

// Reads <root>/proc/cpuinfo, <root>/sys/devices/system/cpu/cpu0/cache and <root>/proc/sys/kernel.
// What a file does not say stays empty, "unknown" or 0: a strange machine has an identity as well.
// `root` is "" except in tests.
Host ReadHost(const std::string& root = "");

// The machine this process runs on, read once.
const Host& ThisHost();

}  // namespace trit
