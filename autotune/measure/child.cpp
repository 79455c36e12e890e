#include "autotune/measure/child.h"

#include <unistd.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "autotune/bench/kernel_bench.h"
#include "autotune/measure/oracle.h"
#include "runtime/roofs.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Json = nlohmann::json;

Json Failure(const char* status, const std::string& detail) {
  return {{"ok", false}, {"status", status}, {"detail", detail}};
}

double NowNs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::nano>(now).count();
}

class Child {
 public:
  explicit Child(const KernelSource& source) : source_(source) {}

  Json Answer(const Json& request) {
    const std::string what = request.at("do");
    if (what == "load") return Load(request.at("candidate"));
    if (what == "roofs") return Roof(request.at("threads"));
    if (!loaded_.kernel) return Failure("refused", "no candidate was loaded");
    const int id = request.at("id");
    if (what == "setup") return Setup(id, request);
    if (what == "drop") {
      benches_.erase(id);
      return {{"ok", true}};
    }
    if (what == "sample") {
      const auto bench = benches_.find(id);
      if (bench == benches_.end()) return Failure("refused", "that workload was not set up");
      bench->second->Slice(request.value("n_per_task", loaded_.n_per_task),
                           request.value("m_per_task", loaded_.m_per_task));
      Json ns = Json::array();
      for (int i = 0; i < request.at("count").get<int>(); ++i) {
        bench->second->Sample();
        ns.push_back(bench->second->Summary().samples_ns.back());
      }
      return {{"ok", true}, {"ns", ns}};
    }
    return Failure("refused", "an unknown request: " + what);
  }

 private:
  Json Load(const std::string& candidate) {
    const double start = NowNs();
    try {
      loaded_ = source_(candidate);
    } catch (const std::exception& e) {
      return Failure("compile-failed", e.what());
    }
    const double compile_ns = NowNs() - start;
    const std::string fault = CheckKernel(*loaded_.kernel);
    if (!fault.empty()) return Failure("wrong", fault);
    return {{"ok", true},
            {"layout", loaded_.kernel->layout->id},
            {"candidate", loaded_.kernel->candidate},
            {"compile_ns", compile_ns}};
  }

  Json Setup(int id, const Json& request) {
    BenchCase c;
    c.kernel = loaded_.kernel.get();
    c.m = request.at("m");
    c.n = request.at("n");
    c.k = request.at("k");
    const int threads = request.at("threads");
    c.hot = request.at("mode") == "hot";
    c.n_per_task = loaded_.n_per_task;
    c.m_per_task = loaded_.m_per_task;
    c.cold_bytes = request.at("cold_bytes");
    c.sample_ms = request.at("sample_ms");
    try {
      auto& pool = pools_[threads];
      if (!pool) pool = std::make_unique<ThreadPool>(threads);
      auto bench = std::make_unique<KernelBench>(c, *pool);
      const BenchSummary summary = bench->Summary();
      benches_[id] = std::move(bench);
      return {{"ok", true}, {"bytes", summary.packed_bytes}, {"prepare_ns", summary.prepare_ns}};
    } catch (const std::exception& e) {
      // The bench checks sums of the real shape once more: a refusal is not a wrong sum.
      const bool wrong = std::string(e.what()).find("y[") != std::string::npos;
      return Failure(wrong ? "wrong" : "refused", e.what());
    }
  }

  Json Roof(int threads) {
    RoofOptions options;
    options.max_threads = threads;
    options.buffer_bytes = uint64_t{256} << 20;
    options.seconds = 0.15;
    const Roofs roofs = MeasureRoofs(options);
    return {{"ok", true},
            {"bytes_per_s", roofs.read_gbps.at(threads) * 1e9},
            {"ops_per_s", roofs.mac_gps.at(threads) * 1e9}};
  }

  const KernelSource& source_;
  LoadedKernel loaded_;
  std::map<int, std::unique_ptr<ThreadPool>> pools_;  // by thread count; outlive the benches
  std::map<int, std::unique_ptr<KernelBench>> benches_;
};

}  // namespace

int ServeMeasurements(const KernelSource& source, int in, int out) {
  Child child(source);
  std::string buffer;
  char chunk[4096];
  for (;;) {
    const size_t end = buffer.find('\n');
    if (end == std::string::npos) {
      const ssize_t got = read(in, chunk, sizeof(chunk));
      if (got <= 0) return 0;
      buffer.append(chunk, static_cast<size_t>(got));
      continue;
    }
    const Json request = Json::parse(buffer.substr(0, end), nullptr, false);
    buffer.erase(0, end + 1);
    Json answer;
    try {
      answer = request.is_object() ? child.Answer(request) : Failure("refused", "no JSON object");
    } catch (const std::exception& e) {
      answer = Failure("refused", e.what());
    }
    const std::string text = answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    for (size_t done = 0; done < text.size();) {
      const ssize_t wrote = write(out, text.data() + done, text.size() - done);
      if (wrote <= 0) return 1;
      done += static_cast<size_t>(wrote);
    }
  }
}

}  // namespace trit
