#include "runtime/host/host.h"

#include <sched.h>

#include <cctype>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

namespace trit {
namespace {

#if defined(__x86_64__)
constexpr const char* kArch = "x86-64";
#elif defined(__aarch64__)
constexpr const char* kArch = "aarch64";
#else
constexpr const char* kArch = "other";
#endif

std::string Trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::string FirstLine(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return Trimmed(line);
}

// The first processor's "key : value" lines.
std::map<std::string, std::string> CpuInfo(const std::string& path) {
  std::map<std::string, std::string> fields;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line) && fields.size() < 200;) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) {
      if (!fields.empty()) break;
      continue;
    }
    fields.emplace(Trimmed(line.substr(0, colon)), Trimmed(line.substr(colon + 1)));
  }
  return fields;
}

int64_t Bytes(const std::string& text) {  // "32K", "32768K", "1M"
  std::istringstream in(text);
  int64_t value = 0;
  char unit = 0;
  in >> value >> unit;
  if (value < 0 || value > (int64_t{1} << 40)) return 0;
  return unit == 'K' ? value << 10 : unit == 'M' ? value << 20 : value;
}

uint64_t Fnv1a(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3u;
  return hash;
}

}  // namespace

std::string Host::Microarchitecture() const {
  return arch + "/" + vendor + "/" + family + "/" + model;
}

std::string Host::Key() const {
  std::ostringstream text;
  text << Microarchitecture() << "/" << stepping << "/" << cpu << "/" << cores << "/" << l1d_bytes
       << "/" << l2_bytes << "/" << l3_bytes;
  char hex[17];
  std::snprintf(hex, sizeof(hex), "%016llx", static_cast<unsigned long long>(Fnv1a(text.str())));
  return hex;
}

Host ReadHost(const std::string& root) {
  Host host;
  host.arch = kArch;
  const auto info = CpuInfo(root + "/proc/cpuinfo");
  const auto field = [&](const char* x86, const char* arm) -> std::string {
    for (const char* name : {x86, arm}) {
      const auto found = info.find(name);
      if (found != info.end() && !found->second.empty()) return found->second;
    }
    return "unknown";
  };
  host.vendor = field("vendor_id", "CPU implementer");
  host.family = field("cpu family", "CPU architecture");
  // "model" alone is x86's; its number is what tells Zen 3 from Zen 4 within family 25.
  host.model = field("model", "CPU part");
  host.stepping = field("stepping", "CPU revision");
  host.cpu = field("model name", "CPU part");

  const std::string cache = root + "/sys/devices/system/cpu/cpu0/cache/index";
  for (int i = 0; i < 8; ++i) {
    const std::string folder = cache + std::to_string(i);
    const std::string type = FirstLine(folder + "/type");
    if (type.empty() || type == "Instruction") continue;
    const int64_t size = Bytes(FirstLine(folder + "/size"));
    const std::string level = FirstLine(folder + "/level");
    if (level == "1") host.l1d_bytes = size;
    if (level == "2") host.l2_bytes = size;
    if (level == "3") host.l3_bytes = size;
  }
  const std::string kernel = root + "/proc/sys/kernel/";
  host.os = Trimmed(FirstLine(kernel + "ostype") + " " + FirstLine(kernel + "osrelease"));
  if (host.os.empty()) host.os = "unknown";

  cpu_set_t set;
  CPU_ZERO(&set);
  host.cores = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
  return host;
}

const Host& ThisHost() {
  static const Host host = ReadHost();
  return host;
}

}  // namespace trit
