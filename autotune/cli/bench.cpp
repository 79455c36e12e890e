// tritforge bench: times kernels beside the roofs of the machine.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "autotune/bench/kernel_bench.h"
#include "autotune/cli/command.h"
#include "autotune/cli/shapes.h"
#include "generator/kernel.h"
#include "targets/base/error.h"

namespace trit {
namespace {

struct Options {
  std::string shapes = "2b4t", format = "md";
  std::vector<int32_t> m = {1};
  std::vector<int> threads = {1};
  std::vector<std::string> candidates;
  bool hot = false;
  int samples = 11;
  int32_t n_per_task = 0, m_per_task = 0;
};

void Run(const Options& options) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  if (options.format == "md") {
    std::printf(
        "| family | n | k | m | threads | median us | spread | Gw/s | GMAC/s | packed GB/s | "
        "prepare us | candidate |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  }
  for (const std::string& text : options.candidates) {
    const JitKernel jit(ReadCandidate(text));
    for (const Shape& shape : ParseShapes(options.shapes)) {
      for (const int32_t m : options.m) {
        for (const int threads : options.threads) {
          BenchCase c;
          c.kernel = &jit.kernel();
          c.n = shape.n;
          c.k = shape.k;
          c.m = m;
          c.threads = threads;
          c.hot = options.hot;
          c.n_per_task = options.n_per_task;
          c.m_per_task = options.m_per_task;
          KernelBench bench(c);
          for (int i = 0; i < options.samples; ++i) bench.Sample();
          const BenchSummary s = bench.Summary();
          const double weights = double(shape.n) * shape.k;
          const double w_ns = weights / s.median_ns, gbps = double(s.packed_bytes) / s.median_ns;
          if (options.format == "md") {
            std::printf(
                "| %s | %d | %d | %d | %d | %.1f | %.3f | %.1f | %.1f | %.2f | %.1f | %s |\n",
                jit.kernel().family, shape.n, shape.k, m, threads, s.median_ns / 1e3, s.spread,
                w_ns, w_ns * m, gbps, s.prepare_ns / 1e3, jit.kernel().candidate);
            std::fflush(stdout);
          } else {
            rows.push_back({{"family", jit.kernel().family},
                            {"layout", jit.kernel().layout->id},
                            {"isa", jit.candidate().target},
                            {"n", shape.n},
                            {"k", shape.k},
                            {"m", m},
                            {"threads", threads},
                            {"median_ns", s.median_ns},
                            {"spread", s.spread},
                            {"weights_per_s", w_ns * 1e9},
                            {"packed_gbps", gbps},
                            {"prepare_ns", s.prepare_ns},
                            {"hot", options.hot},
                            {"candidate", jit.kernel().candidate}});
          }
        }
      }
    }
  }
  if (options.format == "json") std::printf("%s\n", rows.dump(1).c_str());
}

}  // namespace

void AddBench(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("bench", "Times kernels, cold weights by default");
  command->add_option("--shapes", options->shapes, "NxK,... or 2b4t")->capture_default_str();
  command->add_option("--m", options->m, "token counts")->delimiter(',')->capture_default_str();
  command->add_option("--threads", options->threads, "thread counts")->delimiter(',');
  command->add_option("--candidate", options->candidates, "a candidate's text; may be repeated")
      ->required();
  command->add_flag("--hot", options->hot, "weights stay in cache");
  command->add_option("--samples", options->samples, "samples a row")->check(CLI::Range(1, 1000));
  command->add_option("--n-per-task", options->n_per_task, "rows of a slice; 0 = all of a thread");
  command->add_option("--m-per-task", options->m_per_task, "tokens of a slice; 0 = all");
  command->add_option("-o,--output", options->format, "json or md")
      ->check(CLI::IsMember({"json", "md"}));
  command->callback([options] { Run(*options); });
}

}  // namespace trit
