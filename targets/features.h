// What the CPU under this process can run, by the names of features.inc.
//
// x86: a feature counts only where cpuid has it AND the OS saves the registers it uses. Arm: what
// the kernel reports in the auxiliary vector. Names of the other architecture are known and absent,
// so that a table of all targets can be judged anywhere; other names are an error.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "targets/target.h"

namespace trit {

class CpuFeatures {
 public:
  struct Cpuid {
    uint32_t eax, ebx, ecx, edx;
  };

  // Throws trit::Error listing the known names when `name` is none of them.
  bool Has(std::string_view name) const;
  // Those of a space-separated list that are missing here.
  std::vector<std::string> Missing(std::string_view names) const;
  bool CanRun(const Target& target) const;

  const std::string& arch() const { return arch_; }  // "x86-64" or "aarch64"
  std::vector<std::string> present() const;          // in the order of features.inc
  int sve_bytes() const { return sve_bytes_; }       // SVE vector length, 0 without SVE

  // From raw readings, for the host and for tests. `cpuid` answers (leaf, subleaf) for any leaf up
  // to its own leaf 0's eax; xcr0 is what xgetbv says, 0 without OSXSAVE.
  static CpuFeatures FromX86(const std::function<Cpuid(uint32_t, uint32_t)>& cpuid, uint64_t xcr0);
  static CpuFeatures FromArm(uint64_t hwcap, uint64_t hwcap2, int sve_bytes);

 private:
  std::string arch_;
  std::set<std::string, std::less<>> names_;
  int sve_bytes_ = 0;
};

// This machine, read once.
const CpuFeatures& HostFeatures();

// True for a name of features.inc.
bool IsFeatureName(std::string_view name);

// "sse2 avx2" -> {"sse2", "avx2"}
std::vector<std::string> SplitFeatures(std::string_view names);

}  // namespace trit
