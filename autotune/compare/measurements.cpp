#include "autotune/compare/measurements.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "autotune/records/database.h"
#include "autotune/stats/robust.h"
#include "runtime/records/journal.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Json = nlohmann::json;

std::string FileName(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

Measurement FromRecord(const Record& r, const std::string& file, int line) {
  Measurement m;
  m.workload = Join(r.workload.Text(), " threads=", r.threads, " ", r.mode);
  m.candidate = r.candidate;
  m.target = r.target;
  m.ns = r.samples_ns;
  m.bytes = r.bytes;
  m.ops = r.ops;
  m.roof_bytes_per_s = r.roof_bytes_per_s;
  m.roof_ops_per_s = r.roof_ops_per_s;
  m.threads = r.threads;
  m.tokens = r.workload.m;
  m.time_s = r.time_s;
  m.suite = r.workload.suite;
  m.name = r.workload.name;
  m.session = r.session;
  m.n = r.workload.n;
  m.k = r.workload.k;
  m.build = Join("kernels ", r.build.git, ", ", r.build.compiler, ", Halide ", r.build.halide,
                 ", LLVM ", r.build.llvm);
  m.commit = r.commit;
  m.host = Join(r.host.cpu, " (", r.host.Microarchitecture(), "), ", r.host.cores, " cores, L2 ",
                r.host.l2_bytes / 1024, " KiB, L3 ", r.host.l3_bytes / 1024, " KiB, ", r.host.os);
  m.host_key = r.host_key;
  m.file = file;
  m.line = line;
  return m;
}

// "2026-11-21T03:16:41+00:00" to unix seconds; 0 when it is something else.
int64_t TimeFromText(const std::string& text) {
  std::tm t{};
  int zone_hours = 0, zone_minutes = 0;
  char sign = '+';
  const int got =
      std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%c%2d:%2d", &t.tm_year, &t.tm_mon,
                  &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec, &sign, &zone_hours, &zone_minutes);
  if (got < 6) return 0;
  t.tm_year -= 1900, t.tm_mon -= 1;
  const int64_t zone = (sign == '-' ? -1 : 1) * (zone_hours * 3600 + zone_minutes * 60);
  return static_cast<int64_t>(timegm(&t)) - (got == 9 ? zone : 0);
}

std::vector<Measurement> FromGoogleBenchmark(const Json& j, const std::string& path) {
  const Json context = j.value("context", Json::object());
  const auto of_context = [&](const char* name) {
    if (!context.is_object() || !context.contains(name)) return std::string("?");
    return context[name].is_string() ? context[name].get<std::string>() : context[name].dump();
  };
  std::map<std::string, Measurement> by_name;
  int number = 0;
  for (const Json& run : j.at("benchmarks")) {
    ++number;
    const auto text = [&](const char* name, const std::string& otherwise) {
      return run.contains(name) && run[name].is_string() ? run[name].get<std::string>() : otherwise;
    };
    if (!run.is_object() || text("run_type", "iteration") != "iteration") continue;
    const std::string unit = text("time_unit", "ns");
    const double scale = unit == "ns"   ? 1
                         : unit == "us" ? 1e3
                         : unit == "ms" ? 1e6
                         : unit == "s"  ? 1e9
                                        : 0;
    if (scale == 0 || !run.contains("real_time") || !run["real_time"].is_number() ||
        text("name", "").empty()) {
      throw Error(Join(path, ": a benchmark has no name, time or known unit."));
    }
    const double ns = run["real_time"].get<double>() * scale;
    if (!std::isfinite(ns) || ns <= 0) {
      throw Error(Join(path, ": \"", text("name", ""), "\" has no positive time."));
    }
    // Repetitions share their run_name.
    const std::string name = text("run_name", text("name", ""));
    Measurement& m = by_name[name];
    m.ns.push_back(ns);
    if (m.line > 0) continue;
    m.line = number;
    m.workload = m.name = name;
    m.suite = "benchmark";
    m.threads = run.contains("threads") && run["threads"].is_number_integer()
                    ? run["threads"].get<int>()
                    : 1;
    if (run.contains("bytes_per_second") && run["bytes_per_second"].is_number()) {
      m.bytes = run["bytes_per_second"].get<double>() * ns * 1e-9;
    }
    m.file = FileName(path);
    m.session = m.file;
    m.time_s = TimeFromText(of_context("date"));
    m.host_key = of_context("host_name");
    m.host = Join(m.host_key, ", ", of_context("num_cpus"), " CPUs at ", of_context("mhz_per_cpu"),
                  " MHz");
    m.build =
        Join(of_context("executable"), ", library built as ", of_context("library_build_type"));
  }
  if (by_name.empty()) throw Error(Join(path, ": holds no benchmark."));
  std::vector<Measurement> out;
  for (auto& [name, m] : by_name) out.push_back(std::move(m));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.line < b.line; });
  return out;
}

std::vector<Measurement> ReadFile(const std::string& path) {
  const std::string text = ReadWholeFile(path);
  const Json whole = Json::parse(text, nullptr, false);
  if (whole.is_object() && whole.contains("benchmarks") && whole["benchmarks"].is_array()) {
    return FromGoogleBenchmark(whole, path);
  }
  // Line by line, so that each measurement knows where it stands.
  const JournalContent content = Journal(path, /*writable=*/false).Read();
  std::vector<Measurement> out;
  std::string why = "it holds none";
  const auto take = [&](const std::string& line, int number) {
    JournalContent one;
    one.lines = {line};
    ParsedRecords parsed = ParseRecords(one, "");
    if (parsed.records.empty()) {
      if (!parsed.faults.damaged.empty()) {
        why = Join("line ", number, ": ", parsed.faults.damaged.front().why);
      }
      return;
    }
    const Record& r = parsed.records.front();
    if (r.status == CheckStatus::kOk) out.push_back(FromRecord(r, FileName(path), number));
  };
  int number = 0;
  for (const std::string& line : content.lines) take(line, ++number);
  if (!content.torn.empty()) take(content.torn, number + 1);
  if (out.empty()) {
    throw Error(
        Join(path, ": is neither a file of records nor Google Benchmark's JSON (", why, ")."));
  }
  return out;
}

}  // namespace

double Measurement::MedianNs() const {
  return Median(ns);
}

double Measurement::ReadRoofFraction() const {
  return roof_bytes_per_s > 0 ? bytes / (MedianNs() * 1e-9) / roof_bytes_per_s : 0;
}

double Measurement::OpsRoofFraction() const {
  return roof_ops_per_s > 0 ? ops / (MedianNs() * 1e-9) / roof_ops_per_s : 0;
}

std::vector<Measurement> ReadMeasurements(const std::string& path) {
  if (!std::filesystem::is_directory(path)) return ReadFile(path);
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    const std::string ending = entry.path().extension().string();
    if (ending == ".jsonl" || ending == ".json") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) throw Error(Join(path, ": the folder holds no .jsonl and no .json file."));
  std::vector<Measurement> out;
  for (const std::string& file : files) {
    for (Measurement& m : ReadFile(file)) out.push_back(std::move(m));
  }
  return out;
}

SampleSet BestOfEach(std::span<const Measurement> measurements) {
  std::map<std::string, std::map<std::string, std::vector<double>>> all;
  for (const Measurement& m : measurements) {
    auto& ns = all[m.workload][m.candidate];
    ns.insert(ns.end(), m.ns.begin(), m.ns.end());
  }
  SampleSet out;
  for (const auto& [workload, candidates] : all) {
    double best = INFINITY;
    for (const auto& [candidate, ns] : candidates) {
      const double median = Median(ns);
      if (median >= best) continue;
      best = median;
      out[workload] = {ns, {}, candidate};
    }
  }
  return out;
}

}  // namespace trit
