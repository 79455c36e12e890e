// trit roofs: the read bandwidth and the multiply-accumulate peak that speeds are divided by.
#include "runtime/roofs.h"

#include <cstdio>
#include <memory>
#include <string>

#include "model/cli/command.h"
#include "targets/base/error.h"
#include "targets/features.h"

namespace trit::cli {
namespace {

struct Options {
  std::string output = "text";
  std::string target;
  int threads = 0;
  int megabytes = 512;
  double seconds = 0.5;
};

std::string Json(const Roofs& roofs) {
  std::string text = "{\"read_gbps\":{";
  const auto table = [&text](const std::map<int, double>& values) {
    const char* separator = "";
    for (const auto& [threads, value] : values) {
      char item[64];
      std::snprintf(item, sizeof(item), "%s\"%d\":%.2f", separator, threads, value);
      text += item;
      separator = ",";
    }
  };
  table(roofs.read_gbps);
  text += "},\"mac_gps\":{";
  table(roofs.mac_gps);
  return text + "},\"unit\":\"" + roofs.unit + "\"}";
}

void Run(const Options& options) {
  RoofOptions measure;
  measure.max_threads = options.threads;
  measure.buffer_bytes = uint64_t{static_cast<uint32_t>(options.megabytes)} << 20;
  measure.seconds = options.seconds;
  if (!options.target.empty()) {
    const Target& target = FindTarget(options.target);
    if (!HostFeatures().CanRun(target)) {
      throw Error(Join("target ", target.key, " cannot run on this CPU"));
    }
    measure.body = FindRoof(target);
  }
  const Roofs roofs = MeasureRoofs(measure);
  if (options.output == "json") {
    std::printf("%s\n", Json(roofs).c_str());
    return;
  }
  std::printf("threads  read GB/s  GMAC/s (%s)\n", roofs.unit.c_str());
  for (const auto& [threads, gbps] : roofs.read_gbps) {
    std::printf("%7d  %9.1f  %6.1f\n", threads, gbps, roofs.mac_gps.at(threads));
  }
}

}  // namespace

void SetUpRoofs(CLI::App& app, int&) {
  auto options = std::make_shared<Options>();
  app.add_option("-o,--output", options->output, "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_option("-t,--threads", options->threads, "measure 1 to this many threads; 0 = all cores")
      ->check(CLI::Range(0, ThreadPool::kMaxThreads));
  app.add_option("--isa", options->target, "a target of targets/ in place of the CPU's best");
  app.add_option("--megabytes", options->megabytes, "size of the streamed buffer")
      ->check(CLI::Range(1, 1 << 20));
  app.add_option("--seconds", options->seconds, "time for each figure")
      ->check(CLI::Range(0.001, 60.0));
  app.callback([options] { Run(*options); });
}

}  // namespace trit::cli
