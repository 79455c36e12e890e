#include "targets/features.h"

#include <algorithm>

#include "targets/base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#include <sys/prctl.h>
#endif

namespace trit {
namespace {

enum Register { eax, ebx, ecx, edx };

struct X86Feature {
  const char* name;
  uint32_t leaf, subleaf;
  Register reg;
  int bit;
  uint64_t os_state;
};

struct ArmFeature {
  const char* name;
  int word, bit;
};

constexpr X86Feature kX86[] = {
#define TRIT_X86_FEATURE(name, leaf, subleaf, reg, bit, os_state) \
  {#name, leaf, subleaf, reg, bit, os_state},
#define TRIT_ARM_FEATURE(name, word, bit)
#include "targets/features.inc"
#undef TRIT_X86_FEATURE
#undef TRIT_ARM_FEATURE
};

constexpr ArmFeature kArm[] = {
#define TRIT_X86_FEATURE(name, leaf, subleaf, reg, bit, os_state)
#define TRIT_ARM_FEATURE(name, word, bit) {#name, word, bit},
#include "targets/features.inc"
#undef TRIT_X86_FEATURE
#undef TRIT_ARM_FEATURE
};

uint32_t Value(const CpuFeatures::Cpuid& c, Register reg) {
  switch (reg) {
    case eax:
      return c.eax;
    case ebx:
      return c.ebx;
    case ecx:
      return c.ecx;
    case edx:
      return c.edx;
  }
  return 0;
}

CpuFeatures ReadHost() {
#if defined(__x86_64__)
  const auto cpuid = [](uint32_t leaf, uint32_t subleaf) {
    CpuFeatures::Cpuid c{};
    __cpuid_count(leaf, subleaf, c.eax, c.ebx, c.ecx, c.edx);
    return c;
  };
  uint64_t xcr0 = 0;
  constexpr uint32_t kOsxsave = 1u << 27;
  if ((cpuid(1, 0).ecx & kOsxsave) != 0) {
    uint32_t low = 0, high = 0;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    xcr0 = uint64_t{high} << 32 | low;
  }
  return CpuFeatures::FromX86(cpuid, xcr0);
#elif defined(__aarch64__)
  constexpr int kSveGetVectorLength = 51;  // PR_SVE_GET_VL; the low 16 bits are bytes
  const uint64_t hwcap = getauxval(AT_HWCAP), hwcap2 = getauxval(AT_HWCAP2);
  int sve_bytes = 0;
  if ((hwcap & (uint64_t{1} << 22)) != 0) {
    const int answer = prctl(kSveGetVectorLength);
    if (answer > 0) sve_bytes = answer & 0xffff;
  }
  return CpuFeatures::FromArm(hwcap, hwcap2, sve_bytes);
#else
#error "features.cpp: add this architecture's detection"
#endif
}

}  // namespace

CpuFeatures CpuFeatures::FromX86(const std::function<Cpuid(uint32_t, uint32_t)>& cpuid,
                                 uint64_t xcr0) {
  CpuFeatures out;
  out.arch_ = "x86-64";
  const uint32_t highest_leaf = cpuid(0, 0).eax;
  const uint32_t highest_subleaf_of_7 = highest_leaf >= 7 ? cpuid(7, 0).eax : 0;
  for (const X86Feature& f : kX86) {
    if (f.leaf > highest_leaf || (f.leaf == 7 && f.subleaf > highest_subleaf_of_7)) continue;
    const bool cpu_has = Value(cpuid(f.leaf, f.subleaf), f.reg) >> f.bit & 1;
    const bool os_saves = (xcr0 & f.os_state) == f.os_state;
    if (cpu_has && os_saves) out.names_.insert(f.name);
  }
  return out;
}

CpuFeatures CpuFeatures::FromArm(uint64_t hwcap, uint64_t hwcap2, int sve_bytes) {
  CpuFeatures out;
  out.arch_ = "aarch64";
  for (const ArmFeature& f : kArm) {
    if ((f.word == 1 ? hwcap : hwcap2) >> f.bit & 1) out.names_.insert(f.name);
  }
  out.sve_bytes_ = sve_bytes;
  return out;
}

bool CpuFeatures::Has(std::string_view name) const {
  if (names_.contains(name)) return true;
  if (IsFeatureName(name)) return false;
  std::string known;
  for (const auto& f : kX86) known += std::string(known.empty() ? "" : ", ") + f.name;
  for (const auto& f : kArm) known += std::string(", ") + f.name;
  throw Error(Join("there is no CPU feature \"", name, "\"; known features: ", known));
}

std::vector<std::string> CpuFeatures::Missing(std::string_view names) const {
  std::vector<std::string> missing;
  for (std::string& name : SplitFeatures(names)) {
    if (!Has(name)) missing.push_back(std::move(name));
  }
  return missing;
}

bool CpuFeatures::CanRun(const Target& target) const {
  return arch_ == target.arch && Missing(target.features).empty();
}

std::vector<std::string> CpuFeatures::present() const {
  std::vector<std::string> out;
  for (const auto& f : kX86) {
    if (names_.contains(f.name)) out.push_back(f.name);
  }
  for (const auto& f : kArm) {
    if (names_.contains(f.name)) out.push_back(f.name);
  }
  return out;
}

const CpuFeatures& HostFeatures() {
  static const CpuFeatures features = ReadHost();
  return features;
}

bool IsFeatureName(std::string_view name) {
  const auto is = [name](const auto& f) { return name == f.name; };
  return std::any_of(std::begin(kX86), std::end(kX86), is) ||
         std::any_of(std::begin(kArm), std::end(kArm), is);
}

std::vector<std::string> SplitFeatures(std::string_view names) {
  std::vector<std::string> out;
  while (!names.empty()) {
    const size_t end = std::min(names.find(' '), names.size());
    if (end > 0) out.emplace_back(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return out;
}

}  // namespace trit
