// How many threads this process should use: physical cores in its affinity mask, cut by the
// cgroup's CPU quota. Two hardware threads of one core share the units that matrix products fill,
// so a second one adds next to nothing and is left alone.
#pragma once

#include <filesystem>
#include <vector>

namespace trit {

struct CpuCount {
  struct Cpu {
    int id;    // as in /sys/devices/system/cpu/cpu<id>
    int core;  // hardware threads with one number share a physical core
  };
  std::vector<Cpu> cpus;     // in the affinity mask, by id
  int physical_cores = 1;    // different cores among them
  int quota_cpus = 1 << 20;  // whole CPUs the cgroup grants (v1 and v2), at least 1
  int default_threads = 1;   // min(physical_cores, quota_cpus)

  // CPU ids, one of each core first.
  std::vector<int> PinningOrder() const;
};

// Reads the system's state each time (about 100 microseconds).
CpuCount CountCpus();

// The same over a given affinity mask and the files below `root` (tests).
CpuCount CountCpus(const std::vector<int>& affinity, const std::filesystem::path& root);

}  // namespace trit
