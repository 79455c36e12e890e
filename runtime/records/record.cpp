#include "runtime/records/record.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "targets/base/error.h"

namespace trit {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxSamples = 100000;
constexpr size_t kMaxText = 65536;

struct StatusName {
  CheckStatus status;
  const char* name;
};
constexpr StatusName kStatusNames[] = {
    {CheckStatus::kOk, "ok"},
    {CheckStatus::kWrong, "wrong"},
    {CheckStatus::kCrash, "crash"},
    {CheckStatus::kHang, "hang"},
    {CheckStatus::kCompileFailed, "compile-failed"},
    {CheckStatus::kRefused, "refused"},
};

CheckStatus StatusFromName(const std::string& name) {
  std::string known;
  for (const StatusName& s : kStatusNames) {
    if (name == s.name) return s.status;
    known += Join(known.empty() ? "" : ", ", s.name);
  }
  throw Error(Join("The check status \"", name, "\" is unknown; known: ", known, "."));
}

// A tenth of a nanosecond is finer than any clock; more digits would only make lines longer.
Json Rounded(const std::vector<double>& samples) {
  Json out = Json::array();
  for (double x : samples) out.push_back(std::round(x * 10) / 10);
  return out;
}

const Json& Member(const Json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  if (!object.is_object() || found == object.end()) {
    throw Error(Join("The record has no member \"", name, "\"."));
  }
  return *found;
}

std::string Text(const Json& object, const char* name) {
  const Json& member = Member(object, name);
  if (!member.is_string()) throw Error(Join("The record's \"", name, "\" is not a text."));
  std::string text = member.get<std::string>();
  if (text.size() > kMaxText) throw Error(Join("The record's \"", name, "\" is too long."));
  return text;
}

int64_t Integer(const Json& object, const char* name, int64_t low, int64_t high) {
  const Json& member = Member(object, name);
  if (!member.is_number_integer()) {
    throw Error(Join("The record's \"", name, "\" is not a whole number."));
  }
  // An unsigned beyond int64 would wrap in get<int64_t>.
  const bool huge =
      member.is_number_unsigned() && member.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX);
  const int64_t value = huge ? INT64_MAX : member.get<int64_t>();
  if (huge || value < low || value > high) {
    throw Error(Join("The record's \"", name, "\" is not between ", low, " and ", high, "."));
  }
  return value;
}

double Number(const Json& object, const char* name) {
  const Json& member = Member(object, name);
  if (!member.is_number()) throw Error(Join("The record's \"", name, "\" is not a number."));
  const double value = member.get<double>();
  if (!std::isfinite(value) || value < 0) {
    throw Error(Join("The record's \"", name, "\" is negative or not finite."));
  }
  return value;
}

std::vector<double> Samples(const Json& object, const char* name) {
  const Json& member = Member(object, name);
  if (!member.is_array() || member.size() > kMaxSamples) {
    throw Error(
        Join("The record's \"", name, "\" is no list of at most ", kMaxSamples, " samples."));
  }
  std::vector<double> out;
  out.reserve(member.size());
  for (const Json& x : member) {
    if (!x.is_number() || !std::isfinite(x.get<double>()) || x.get<double>() <= 0) {
      throw Error(Join("The record's \"", name, "\" holds something that is no positive time."));
    }
    out.push_back(x.get<double>());
  }
  return out;
}

}  // namespace

const char* CheckStatusName(CheckStatus status) {
  for (const StatusName& s : kStatusNames) {
    if (s.status == status) return s.name;
  }
  return "?";
}

std::string Workload::Text() const {
  std::string out = suite;
  if (!name.empty()) out += Join(" ", name);
  if (n > 0) out += Join(" m=", m, " n=", n, " k=", k);
  return out;
}

std::string BuildIdentity::Toolchain() const {
  return Join("halide ", halide, ", llvm ", llvm);
}

double Record::MedianNs() const {
  if (status != CheckStatus::kOk || samples_ns.empty()) {
    return std::numeric_limits<double>::infinity();
  }
  std::vector<double> sorted = samples_ns;
  std::sort(sorted.begin(), sorted.end());
  const size_t upper = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[upper] : 0.5 * (sorted[upper - 1] + sorted[upper]);
}

double Record::FractionOfRoof() const {
  const double ns = MedianNs();
  if (!std::isfinite(ns)) return 0;
  double fraction = 0;
  if (roof_bytes_per_s > 0) fraction = std::max(fraction, bytes / (ns * 1e-9) / roof_bytes_per_s);
  if (roof_ops_per_s > 0) fraction = std::max(fraction, ops / (ns * 1e-9) / roof_ops_per_s);
  return fraction;
}

std::string MissingFrom(const Record& r) {
  const auto need = [](const std::string& text, const char* name) {
    return text.empty() ? Join("it does not say its ", name) : std::string();
  };
  for (const std::string& missing :
       {need(r.signature, "registry signature"), need(r.session, "session"),
        need(r.workload.suite, "workload suite"), need(r.candidate, "candidate"),
        need(r.target, "target"), need(r.build.git, "git revision"),
        need(r.build.compiler, "compiler"), need(r.build.halide, "Halide version"),
        need(r.build.llvm, "LLVM version"), need(r.host_key, "host key"),
        need(r.host.arch, "architecture"), need(r.host.vendor, "CPU vendor"),
        need(r.host.family, "CPU family"), need(r.host.model, "CPU model number"),
        need(r.host.stepping, "CPU stepping"), need(r.host.cpu, "CPU name"),
        need(r.host.os, "operating system"), need(r.mode, "mode")}) {
    if (!missing.empty()) return missing;
  }
  if (r.host_key != r.host.Key()) return "its host key is not that of its host";
  if (r.mode != "cold" && r.mode != "hot") return "its mode is neither cold nor hot";
  if (r.time_s <= 0) return "it does not say when it was taken";
  if (r.threads <= 0) return "it does not say its thread count";
  if (r.host.cores <= 0) return "it does not say how many cores its host has";
  if (r.workload.n < 0 || r.workload.m < 0 || r.workload.k < 0) return "a size is negative";
  if (r.workload.suite == "matmul" && (r.workload.m == 0 || r.workload.n == 0 || r.workload.k == 0))
    return "a matmul needs m, n and k";
  if (r.workload.name.empty() && r.workload.n == 0) return "its workload has no name and no shape";
  if (r.status == CheckStatus::kOk && r.samples_ns.empty()) return "it has no samples";
  if (r.status != CheckStatus::kOk && r.detail.empty()) return "it failed and does not say how";
  for (const auto* list : {&r.samples_ns, &r.reference_ns}) {
    if (list->size() > kMaxSamples) return "it has too many samples";
    for (double x : *list) {
      if (!std::isfinite(x) || x <= 0) return "a sample is no positive time";
    }
  }
  for (double x : {r.bytes, r.ops, r.roof_bytes_per_s, r.roof_ops_per_s, r.compile_ns}) {
    if (!std::isfinite(x) || x < 0) return "a quantity is negative or not finite";
  }
  return "";
}

std::string RecordToJson(const Record& r) {
  const std::string missing = MissingFrom(r);
  if (!missing.empty()) {
    throw Error(Join("A record of \"", r.candidate, "\" is not written: ", missing, "."));
  }
  Json j;
  j["v"] = kRecordVersion;
  j["sig"] = r.signature;
  j["time"] = r.time_s;
  j["session"] = r.session;
  j["seq"] = r.sequence;
  j["workload"] = {{"suite", r.workload.suite},
                   {"name", r.workload.name},
                   {"m", r.workload.m},
                   {"n", r.workload.n},
                   {"k", r.workload.k}};
  j["candidate"] = r.candidate;
  j["target"] = r.target;
  j["build"] = {{"git", r.build.git},
                {"compiler", r.build.compiler},
                {"halide", r.build.halide},
                {"llvm", r.build.llvm},
                {"commit", r.commit}};
  j["host"] = {{"key", r.host_key},       {"arch", r.host.arch},   {"vendor", r.host.vendor},
               {"family", r.host.family}, {"model", r.host.model}, {"stepping", r.host.stepping},
               {"cpu", r.host.cpu},       {"cores", r.host.cores}, {"l1d", r.host.l1d_bytes},
               {"l2", r.host.l2_bytes},   {"l3", r.host.l3_bytes}, {"os", r.host.os}};
  j["run"] = {{"threads", r.threads},
              {"mode", r.mode},
              {"n_per_task", r.n_per_task},
              {"m_per_task", r.m_per_task},
              {"samples_ns", Rounded(r.samples_ns)},
              {"reference_ns", Rounded(r.reference_ns)},
              {"bytes", r.bytes},
              {"ops", r.ops},
              {"roof_bytes_per_s", r.roof_bytes_per_s},
              {"roof_ops_per_s", r.roof_ops_per_s},
              {"compile_ns", r.compile_ns}};
  j["check"] = {{"status", CheckStatusName(r.status)}, {"detail", r.detail}};
  // Bytes that are no UTF-8 (a CPU name may hold anything) become U+FFFD instead of an exception.
  return j.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Record RecordFromJson(const std::string& text) {
  const Json j = Json::parse(text, nullptr, false);
  if (j.is_discarded() || !j.is_object()) throw Error("The record is no JSON object.");
  const int64_t version = Integer(j, "v", 0, INT32_MAX);
  if (version != kRecordVersion) {
    throw Error(Join("The record has version ", version, "; this program reads version ",
                     kRecordVersion, "."));
  }
  constexpr int64_t kMost = int64_t{1} << 53;  // what every JSON reader keeps exactly
  Record r;
  r.signature = Text(j, "sig");
  r.time_s = Integer(j, "time", 0, kMost);
  r.session = Text(j, "session");
  r.sequence = Integer(j, "seq", 0, kMost);
  const Json& w = Member(j, "workload");
  r.workload = {Text(w, "suite"), Text(w, "name"), Integer(w, "m", 0, INT32_MAX),
                Integer(w, "n", 0, INT32_MAX), Integer(w, "k", 0, INT32_MAX)};
  r.candidate = Text(j, "candidate");
  r.target = Text(j, "target");
  const Json& b = Member(j, "build");
  r.build = {Text(b, "git"), Text(b, "compiler"), Text(b, "halide"), Text(b, "llvm")};
  if (b.contains("commit")) r.commit = Text(b, "commit");
  const Json& h = Member(j, "host");
  r.host_key = Text(h, "key");
  r.host.arch = Text(h, "arch");
  r.host.vendor = Text(h, "vendor");
  r.host.family = Text(h, "family");
  r.host.model = Text(h, "model");
  r.host.stepping = Text(h, "stepping");
  r.host.cpu = Text(h, "cpu");
  r.host.cores = static_cast<int>(Integer(h, "cores", 1, 1 << 20));
  r.host.l1d_bytes = Integer(h, "l1d", 0, kMost);
  r.host.l2_bytes = Integer(h, "l2", 0, kMost);
  r.host.l3_bytes = Integer(h, "l3", 0, kMost);
  r.host.os = Text(h, "os");
  const Json& run = Member(j, "run");
  r.threads = static_cast<int>(Integer(run, "threads", 1, 1 << 20));
  r.mode = Text(run, "mode");
  r.n_per_task = Integer(run, "n_per_task", 0, INT32_MAX);
  r.m_per_task = Integer(run, "m_per_task", 0, INT32_MAX);
  r.samples_ns = Samples(run, "samples_ns");
  r.reference_ns = Samples(run, "reference_ns");
  r.bytes = Number(run, "bytes");
  r.ops = Number(run, "ops");
  r.roof_bytes_per_s = Number(run, "roof_bytes_per_s");
  r.roof_ops_per_s = Number(run, "roof_ops_per_s");
  r.compile_ns = Number(run, "compile_ns");
  const Json& check = Member(j, "check");
  r.status = StatusFromName(Text(check, "status"));
  r.detail = Text(check, "detail");
  const std::string missing = MissingFrom(r);
  if (!missing.empty()) throw Error(Join("The record is not whole: ", missing, "."));
  return r;
}

}  // namespace trit
