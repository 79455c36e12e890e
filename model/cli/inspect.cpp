// trit inspect: what is in a model file, and what it needs.
#include <cstdio>
#include <memory>
#include <optional>

#include "model/arch/tensor_kernels.h"
#include "model/cli/command.h"
#include "model/cli/formats.h"
#include "model/convert/memory_plan.h"
#include "model/convert/statistics.h"
#include "runtime/cpu_count.h"
#include "runtime/linked/linked.h"
#include "runtime/tuned/tuned_library.h"
#include "targets/base/error.h"

namespace trit::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string preset, head = "f16";
  bool plan = false, statistics = false, tensors = false, metadata = false;
  double read_gbps = 0, gmacs = 0;
  int threads = 1;
};

std::string Shown(const MetaValue& value) {
  switch (value.type) {
    case MetaType::kString: {
      std::string text = value.text.substr(0, 60);
      for (char& c : text) c = static_cast<unsigned char>(c) < 32 ? ' ' : c;
      return "\"" + text + (value.text.size() > 60 ? "\" ..." : "\"");
    }
    case MetaType::kArray:
      return Join(value.count, " x ", MetaTypeName(value.element));
    case MetaType::kBool:
      return value.integer != 0 ? "true" : "false";
    case MetaType::kF32:
      return Join(static_cast<float>(value.real));
    case MetaType::kF64:
      return Join(value.real);
    case MetaType::kI8:
    case MetaType::kI16:
    case MetaType::kI32:
    case MetaType::kI64:
      return Join(static_cast<int64_t>(value.integer));
    default:
      return Join(value.integer);
  }
}

void PrintPlan(const MemoryPlan& plan, const Options& options) {
  const auto line = [](const char* what, uint64_t bytes) {
    std::printf("  %-34s %12s  (%llu bytes)\n", what, HumanBytes(bytes).c_str(),
                static_cast<unsigned long long>(bytes));
  };
  std::printf("products (out x in, how many)\n");
  for (const PlannedProduct& product : plan.products) {
    std::printf("  %-12s %8llu x %-8llu %6llu\n", product.name.c_str(),
                static_cast<unsigned long long>(product.n),
                static_cast<unsigned long long>(product.k),
                static_cast<unsigned long long>(product.count));
  }
  std::printf("ternary weights                      %.3f G\n",
              static_cast<double>(plan.ternary_weights) * 1e-9);
  std::printf("memory\n");
  line("packed at 2 bits a weight", plan.packed_2bit_bytes);
  line("packed at 1.78 bits (lut3w)", plan.packed_lut3w_bytes);
  line("embedding and head", plan.embedding_bytes);
  line("norms", plan.norm_bytes);
  line("KV cache a token (f16)", plan.kv_bytes_per_token);
  const uint64_t cache = plan.kv_bytes_per_token * plan.context;
  line(Join("KV cache of ", plan.context, " tokens").c_str(), cache);
  line("together, 2 bits, full context",
       plan.packed_2bit_bytes + plan.embedding_bytes + plan.norm_bytes + cache);
  const auto bytes = [&](uint64_t packed) {
    return packed + plan.head_bytes_per_token + plan.norm_bytes;
  };
  std::printf("a decoded token (empty cache)\n");
  line("reads at 2 bits a weight", bytes(plan.packed_2bit_bytes));
  line("reads at 1.78 bits (lut3w)", bytes(plan.packed_lut3w_bytes));
  std::printf("  ternary multiply-accumulates       %.3f G\n",
              static_cast<double>(plan.macs_per_token) * 1e-9);
  if (options.read_gbps > 0) {
    for (const auto& [what, packed] : {std::pair("2 bits", plan.packed_2bit_bytes),
                                       std::pair("lut3w", plan.packed_lut3w_bytes)}) {
      std::printf("  at %.1f GB/s, %s: %.2f tokens/s at most\n", options.read_gbps, what,
                  options.read_gbps * 1e9 / static_cast<double>(bytes(packed)));
    }
  }
  if (options.gmacs > 0) {
    std::printf("  at %.1f GMAC/s: prefill of %.2f tokens/s\n", options.gmacs,
                options.gmacs * 1e9 / static_cast<double>(plan.macs_per_token));
  }
}

// Tensors and, where this program can run the model, the kernels that will read them here.
void PrintTensors(const ModelSource& source, int threads) {
  constexpr int kPrefillTokens = 256;  // the default batch
  std::optional<Config> config;
  std::optional<KernelSet> kernels;
  std::vector<std::string> notes;
  try {
    config = ReadConfig(source, {}, &notes);
    kernels.emplace(
        KernelSetOptions{.files = WithTunedLibrary({}, &notes), .linked = LinkedLibraries()});
  } catch (const Error& e) {
    std::fprintf(stderr, "note: no kernels are shown: %s\n", e.what());
  }
  uint64_t bytes = 0;
  for (const TensorInfo& info : source.tensors()) {
    std::printf("  %-30s %-12s %8lld x %-8lld %12llu bytes", info.name.c_str(),
                info.encoding.c_str(), static_cast<long long>(info.rows),
                static_cast<long long>(info.cols), static_cast<unsigned long long>(info.bytes));
    TensorKernels found;
    if (kernels &&
        FindTensorKernels(*config, *kernels, info.name, threads, kPrefillTokens, &found)) {
      std::printf("  %s: 1 token %s, %d tokens %s", found.layout.c_str(), found.decode.c_str(),
                  kPrefillTokens, found.prefill.c_str());
    } else if (config && info.name == (config->tied ? "token_embd.weight" : "output.weight")) {
      std::printf("  dense head");
    }
    std::printf("\n");
    bytes += info.bytes;
  }
  std::printf("%zu tensors, %s; kernels for %d threads\n", source.tensors().size(),
              HumanBytes(bytes).c_str(), threads);
}

void PrintStatistics(const ModelSource& source, const Options& options) {
  const ModelStatistics statistics = CountModel(source, options.threads);
  std::printf("%-28s %-12s %7s %7s %7s %9s  %s\n", "ternary tensor", "encoding", "-1 %", "0 %",
              "+1 %", "zero rows", "scale");
  const auto share = [](int64_t part, int64_t whole) {
    return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  };
  for (const TernaryStatistics& tensor : statistics.tensors) {
    const TritCounts& counts = tensor.counts;
    std::printf("%-28s %-12s %7.2f %7.2f %7.2f %9lld  %g", tensor.name.c_str(),
                tensor.encoding.c_str(), share(counts.minus, counts.total()),
                share(counts.zero, counts.total()), share(counts.plus, counts.total()),
                static_cast<long long>(counts.zero_rows), static_cast<double>(tensor.scale_low));
    if (tensor.scales > 1) {
      std::printf(" .. %g (%zu)", static_cast<double>(tensor.scale_high), tensor.scales);
    }
    std::printf("\n");
  }
  const TritCounts& all = statistics.all;
  std::printf("all: -1 %.2f %%, 0 %.2f %%, +1 %.2f %% of %.3f G trits\n",
              share(all.minus, all.total()), share(all.zero, all.total()),
              share(all.plus, all.total()), static_cast<double>(all.total()) * 1e-9);
  std::printf("dead FFN neurons: %lld of %lld (%.2f %%), %.2f %% of the ternary weights\n",
              static_cast<long long>(statistics.dead_neurons),
              static_cast<long long>(statistics.neurons),
              share(statistics.dead_neurons, statistics.neurons),
              share(statistics.dead_weights, all.total()));
  for (const std::string& warning : statistics.warnings) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
}

void Run(const Options& options) {
  if (!options.preset.empty()) {
    PrintPlan(PlanPreset(FindPreset(options.preset), options.head), options);
    return;
  }
  const auto source = Open(options.model);
  const bool all = !options.plan && !options.statistics && !options.tensors && !options.metadata;
  if (all || options.metadata) {
    std::printf("file          %s (%s)\narchitecture  %s\n", source->path().c_str(),
                source->format().c_str(), source->architecture().c_str());
    for (const std::string& key : source->metadata().keys()) {
      const MetaValue& value = *source->metadata().Peek(key);
      std::printf("  %-44s %-6s %s\n", key.c_str(), MetaTypeName(value.type), Shown(value).c_str());
    }
  }
  if (all || options.tensors) PrintTensors(*source, options.threads);
  if (options.plan) PrintPlan(PlanModel(*source), options);
  if (options.statistics) PrintStatistics(*source, options);
  PrintNotes(*source);
}

}  // namespace

void SetUpInspect(CLI::App& app, int&) {
  auto options = std::make_shared<Options>();
  options->threads = CountCpus().default_threads;
  auto* model = app.add_option("-m,--model,model", options->model.path,
                               "a GGUF file or a Hugging Face folder");
  app.add_option("--i2s-order", options->model.i2s_order, "order of I2_S codes: 128, 64, row4")
      ->capture_default_str();
  auto* preset = app.add_option("--preset", options->preset, "plan for a preset, without a file");
  preset->excludes(model);
  app.add_option("--head", options->head, "with --preset: encoding of embedding and head")
      ->capture_default_str();
  app.add_flag("--metadata", options->metadata, "keys only");
  app.add_flag("--tensors", options->tensors, "tensors and their kernels only");
  app.add_flag("--stats", options->statistics, "count trits, zero rows, dead FFN neurons");
  app.add_flag("--plan", options->plan, "memory, bytes and multiplications a token");
  app.add_option("--read-gbps", options->read_gbps, "with --plan: predict decoding at this roof");
  app.add_option("--gmacs", options->gmacs, "with --plan: predict prefill at this roof");
  app.add_option("-t,--threads", options->threads, "threads")->check(CLI::Range(1, 1024));
  app.footer(
      "Examples:\n"
      "  trit inspect model.gguf --stats\n"
      "  trit inspect --plan --preset 100b --read-gbps 36.6 --gmacs 472");
  app.callback([options, model, preset] {
    if (model->empty() && preset->empty()) throw CLI::RequiredError("model or --preset");
    Run(*options);
  });
}

}  // namespace trit::cli
