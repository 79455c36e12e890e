#include "runtime/cpu_count.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>

namespace trit {
namespace {

namespace fs = std::filesystem;

std::string FirstLine(const fs::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

long ReadNumber(const fs::path& path, long otherwise) {
  std::istringstream in(FirstLine(path));
  long value = otherwise;
  return in >> value ? value : otherwise;
}

// CPUs granted by quota and period, rounded down, at least 1; no quota = no limit.
int QuotaCpus(long quota, long period, int otherwise) {
  if (quota <= 0 || period <= 0) return otherwise;
  return static_cast<int>(std::clamp<long>(quota / period, 1, otherwise));
}

// The tightest quota from the process's cgroup up to the root: a parent's limit binds as well.
int TightestQuota(const fs::path& root, int limit) {
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    bool v1 = false;
    std::istringstream list(controllers);
    for (std::string c; std::getline(list, c, ',');) v1 = v1 || c == "cpu";
    if (!v1 && !v2) continue;
    const fs::path mount = root / "sys/fs/cgroup" / (v2 ? "" : "cpu");
    fs::path group = fs::path(line.substr(second + 1)).relative_path();
    for (int depth = 0; depth < 64; ++depth) {
      const fs::path dir = mount / group;
      if (v2) {
        std::istringstream in(FirstLine(dir / "cpu.max"));  // "max 100000" or "150000 100000"
        long quota = 0, period = 0;
        if (in >> quota >> period) limit = QuotaCpus(quota, period, limit);
      } else {
        limit = QuotaCpus(ReadNumber(dir / "cpu.cfs_quota_us", -1),
                          ReadNumber(dir / "cpu.cfs_period_us", 0), limit);
      }
      if (group.empty()) break;
      group = group.parent_path();
    }
  }
  return limit;
}

std::vector<int> AffinityMask() {
  // Machines with more CPUs than cpu_set_t holds need a larger mask.
  for (int cpus = 1024; cpus <= 1 << 18; cpus *= 4) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    const size_t bytes = CPU_ALLOC_SIZE(cpus);
    CPU_ZERO_S(bytes, set);
    std::vector<int> ids;
    const bool ok = sched_getaffinity(0, bytes, set) == 0;
    for (int i = 0; ok && i < cpus; ++i) {
      if (CPU_ISSET_S(i, bytes, set)) ids.push_back(i);
    }
    CPU_FREE(set);
    if (ok && !ids.empty()) return ids;
  }
  return {0};
}

}  // namespace

std::vector<int> CpuCount::PinningOrder() const {
  std::vector<int> order;
  std::map<int, std::vector<int>> by_core;
  for (const Cpu& c : cpus) by_core[c.core].push_back(c.id);
  for (size_t round = 0; order.size() < cpus.size(); ++round) {
    for (const auto& [core, ids] : by_core) {
      if (round < ids.size()) order.push_back(ids[round]);
    }
  }
  return order;
}

CpuCount CountCpus(const std::vector<int>& affinity, const fs::path& root) {
  CpuCount count;
  std::map<std::pair<long, long>, int> cores;
  for (const int id : affinity) {
    const fs::path topology =
        root / "sys/devices/system/cpu" / ("cpu" + std::to_string(id)) / "topology";
    const long package = ReadNumber(topology / "physical_package_id", 0);
    // Without topology files every CPU counts as a core.
    const long core = ReadNumber(topology / "core_id", -1 - id);
    const auto [it, added] =
        cores.emplace(std::pair(package, core), static_cast<int>(cores.size()));
    count.cpus.push_back({id, it->second});
  }
  count.physical_cores = std::max<int>(1, static_cast<int>(cores.size()));
  count.quota_cpus = TightestQuota(root, count.quota_cpus);
  count.default_threads = std::min(count.physical_cores, count.quota_cpus);
  return count;
}

CpuCount CountCpus() {
  return CountCpus(AffinityMask(), "/");
}

}  // namespace trit
