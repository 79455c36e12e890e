// trit bench: prefill and decode, with llama-bench's flags and field names, beside the limits of
// the machine measured between the very repetitions they are compared with.
//
//   bytes_per_token     what a decoded token must read: packed trits, head, norms, KV cache
//   read_roof_fraction  bytes_per_token * tokens a second / read bandwidth   (decode)
//   mac_roof_fraction   ternary products a second / multiply-accumulate peak (prefill)
//
// A repetition is divided by the limits measured just before and after it, and the fraction is the
// median of the repetitions': a virtual machine's bandwidth changes by a half within seconds, and
// the best of all readings would be a limit most repetitions never had.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "model/cli/command.h"
#include "model/cli/run_options.h"
#include "model/source/model_source.h"
#include "runtime/cpu_count.h"
#include "runtime/host/host.h"
#include "runtime/memory.h"
#include "runtime/records/folder.h"
#include "runtime/records/line.h"
#include "runtime/roofs.h"
#include "targets/base/error.h"

namespace trit::cli {
namespace {

struct Options {
  RunOptions run;
  std::vector<int> prompts{512}, generate{128}, threads, depths{0}, streams{1};
  int repetitions = 3;
  std::string output = "md", record;
  bool no_roofs = false, top_exact = false;
};

struct Roof {
  double read_gbps = 0, mac_gps = 0;
};

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  const size_t half = values.size() / 2;
  std::sort(values.begin(), values.end());
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

struct Row {
  int threads = 0, prompt = 0, generated = 0, depth = 0, streams = 1;
  std::vector<double> seconds;
  double bytes_per_token = 0, macs_per_token = 0, joules_per_token = -1;
  uint64_t peak_rss = 0;
  std::vector<Roof> beside;  // of each repetition; empty: not measured
  std::string time, kernel, candidate, target, build_id;
  int Tokens() const { return prompt + generated * streams; }
  double Mean() const {
    double sum = 0;
    for (const double s : seconds) sum += s;
    return sum / static_cast<double>(seconds.size());
  }
  double Rate(double s) const { return Tokens() / s; }
  // Mean and deviation of tokens a second over the repetitions.
  std::pair<double, double> Rates() const {
    double sum = 0, squares = 0;
    for (const double s : seconds) {
      sum += Rate(s);
      squares += Rate(s) * Rate(s);
    }
    const auto n = static_cast<double>(seconds.size());
    const double mean = sum / n;
    return {mean, n > 1 ? std::sqrt(std::max(0.0, (squares - n * mean * mean) / (n - 1))) : 0};
  }
  double ReadFraction() const {
    return generated > 0 ? Fraction(bytes_per_token, &Roof::read_gbps) : -1;
  }
  double MacFraction() const { return prompt > 0 ? Fraction(macs_per_token, &Roof::mac_gps) : -1; }
  double MedianRoof(double Roof::*which) const {
    std::vector<double> values;
    for (const Roof& roof : beside) values.push_back(roof.*which);
    return Median(values);
  }

  double Fraction(double work_per_token, double Roof::*which) const {
    std::vector<double> values;
    for (size_t i = 0; i < beside.size(); ++i) {
      values.push_back(work_per_token * Rate(seconds[i]) / (beside[i].*which * 1e9));
    }
    return values.empty() ? -1 : Median(values);
  }
};

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The package's energy counter in joules, or -1 where it cannot be read.
double Joules() {
  std::ifstream file("/sys/class/powercap/intel-rapl:0/energy_uj");
  double microjoules = -1;
  return file >> microjoules ? microjoules * 1e-6 : -1;
}

uint64_t PeakRss() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  }
  return 0;
}

void ResetPeakRss() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

class Bench {
 public:
  Bench(const Options& options, int threads) : options_(options), threads_(threads) {
    RunOptions run = options.run;
    run.threads = threads;
    model_ = LoadModel(run);
  }

  const Model& model() const { return *model_; }

  // `streams` sequences are decoded together, a token each a step; a prompt is one sequence's.
  Row Measure(int prompt, int generate, int depth, int streams) {
    Row row;
    row.threads = model_->pool().threads();
    row.prompt = prompt;
    row.generated = generate;
    row.depth = depth;
    row.streams = streams;
    char text[32];
    const std::time_t now = std::time(nullptr);
    std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
    row.time = text;
    const LayerWeights& layer = model_->weights().layers.front();
    const KernelChoice& choice =
        layer.gate_up.plan().For(prompt > 0 ? std::min(prompt, options_.run.batch) : streams);
    row.kernel = choice.kernel->name;
    row.candidate = choice.kernel->candidate;
    row.target = choice.library ? choice.library->target().key : "portable";
    row.build_id = choice.library ? choice.library->build_id() : "portable";
    if (depth + prompt + generate > model_->context()) {
      throw Error(Join("depth ", depth, " and ", prompt + generate,
                       " tokens do not fit the context of ", model_->context()));
    }
    CountWork(&row);
    std::vector<KvSequence> sequences;
    for (int i = 0; i < streams; ++i) {
      sequences.emplace_back(model_->kv_pool());
      if (depth > 0) Feed(sequences.back(), Tokens(depth));
    }
    RunOnce(sequences, prompt, generate, depth);  // wakes threads, touches buffers
    row.peak_rss = PeakRss();
    double joules = 0;
    std::vector<Roof> roofs;
    if (!options_.no_roofs) roofs.push_back(MeasureRoof());
    for (int r = 0; r < options_.repetitions; ++r) {
      const double energy = Joules(), start = Now();
      RunOnce(sequences, prompt, generate, depth);
      row.seconds.push_back(Now() - start);
      joules = energy >= 0 && joules >= 0 ? joules + Joules() - energy : -1;
      if (options_.no_roofs) continue;
      roofs.push_back(MeasureRoof());
      const Roof &before = roofs[roofs.size() - 2], &after = roofs.back();
      row.beside.push_back(
          {(before.read_gbps + after.read_gbps) / 2, (before.mac_gps + after.mac_gps) / 2});
    }
    if (joules > 0) row.joules_per_token = joules / options_.repetitions / row.Tokens();
    return row;
  }

 private:
  std::vector<int32_t> Tokens(int count) {
    std::vector<int32_t> tokens;
    for (int i = 0; i < count; ++i) {
      random_ = random_ * 6364136223846793005u + 1442695040888963407u;
      tokens.push_back(static_cast<int32_t>((random_ >> 33) %
                                            static_cast<uint64_t>(model_->config().vocabulary)));
    }
    return tokens;
  }

  void Feed(KvSequence& sequence, std::span<const int32_t> tokens) {
    const auto batch = static_cast<size_t>(model_->forward().max_tokens());
    for (size_t at = 0; at < tokens.size(); at += batch) {
      const auto piece = tokens.subspan(at, std::min(batch, tokens.size() - at));
      const Segment segment{&sequence, piece, at + piece.size() == tokens.size() ? 1 : 0};
      model_->forward().Run({&segment, 1}, [](int, int64_t, float*) {});
    }
  }

  void RunOnce(std::vector<KvSequence>& sequences, int prompt, int generate, int depth) {
    for (KvSequence& sequence : sequences) sequence.Truncate(depth);
    if (prompt > 0) Feed(sequences[0], Tokens(prompt));
    std::vector<Segment> segments(sequences.size());
    for (const int32_t token : Tokens(generate)) {
      for (size_t i = 0; i < sequences.size(); ++i) segments[i] = {&sequences[i], {&token, 1}, 1};
      model_->forward().Run(
          segments, [](int, int64_t, float*) {},
          options_.top_exact ? LogitsForm::kTopExact : LogitsForm::kExact);
    }
  }

  void CountWork(Row* row) const {
    const Config& c = model_->config();
    const Weights& w = model_->weights();
    double macs = 0, norms = 0;
    for (const LayerWeights& l : w.layers) {
      macs += static_cast<double>(l.qkv.n()) * l.qkv.k() +
              static_cast<double>(l.out.n()) * l.out.k() + 3.0 * l.neurons * c.hidden;
      norms += sizeof(float) * (2.0 * c.hidden + c.q_width() + l.neurons);
    }
    row->macs_per_token = macs;
    const ops::KvBlockShape& kv = model_->forward().kv_layout().block;
    const double position =
        static_cast<double>(c.layers) * c.kv_heads * 2.0 *
        (static_cast<double>(c.head_dim) * static_cast<double>(kv.value_bytes()) +
         (kv.type == ops::KvType::kInt8 ? sizeof(float) : 0));
    const double positions = row->depth + row->prompt + (row->generated + 1) / 2.0;
    // Weights are read once for all streams of a step.
    const double weights =
        static_cast<double>(w.packed_bytes) + static_cast<double>(w.head_bytes) + norms;
    row->bytes_per_token = weights / row->streams + position * positions;
  }

  Roof MeasureRoof() {
    constexpr uint64_t kBytes = uint64_t{256} << 20;
    constexpr int kReadings = 3;
    if (buffer_ == nullptr) {
      buffer_ = AllocateBlock(kBytes);
      std::memset(buffer_.get(), 1, kBytes);
    }
    std::vector<double> reads, macs;
    for (int i = 0; i < kReadings; ++i) {
      reads.push_back(ReadGbpsOnce(model_->pool(), HostRoof(), buffer_.get(), kBytes));
      macs.push_back(MacGpsOnce(model_->pool(), HostRoof(), 0.02));
    }
    return {Median(reads), Median(macs)};
  }

  const Options& options_;
  int threads_;
  std::unique_ptr<Model> model_;
  std::shared_ptr<std::byte> buffer_;
  uint64_t random_ = 42;
};

nlohmann::ordered_json Json(const Row& row, const Model& model, const Options& o) {
  const auto [rate, deviation] = row.Rates();
  std::vector<int64_t> ns;
  std::vector<double> rates;
  double ns_squares = 0;
  for (const double s : row.seconds) {
    ns.push_back(static_cast<int64_t>(s * 1e9));
    rates.push_back(row.Rate(s));
    ns_squares += (s - row.Mean()) * (s - row.Mean()) * 1e18;
  }
  const auto n = static_cast<double>(row.seconds.size());
  const Weights& w = model.weights();
  nlohmann::ordered_json json;
  json["build_commit"] = ProgramCommit();
  json["cpu_info"] = ThisHost().cpu;
  json["backends"] = "CPU";
  json["model_filename"] = model.source().path();
  json["model_type"] = Join(model.config().facts->name, ", head ", w.head_encoding);
  json["model_size"] = w.packed_bytes + w.head_bytes;
  json["model_n_params"] = model.parameters();
  json["n_batch"] = o.run.batch;
  json["n_ubatch"] = o.run.batch;
  json["n_threads"] = row.threads;
  json["type_k"] = o.run.kv;
  json["type_v"] = o.run.kv;
  json["n_prompt"] = row.prompt;
  json["n_gen"] = row.generated;
  json["n_depth"] = row.depth;
  json["n_streams"] = row.streams;
  json["logits"] = o.top_exact ? "top-exact" : "exact";
  json["test_time"] = row.time;
  json["avg_ns"] = static_cast<int64_t>(row.Mean() * 1e9);
  json["stddev_ns"] = static_cast<int64_t>(n > 1 ? std::sqrt(ns_squares / (n - 1)) : 0);
  json["avg_ts"] = rate;
  json["stddev_ts"] = deviation;
  json["samples_ns"] = ns;
  json["samples_ts"] = rates;
  json["kernel"] = row.kernel;
  json["bytes_per_token"] = static_cast<int64_t>(row.bytes_per_token);
  const auto number_or_null = [&](const char* key, double value) {
    json[key] = value >= 0 ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
  };
  number_or_null("read_roof_fraction", row.ReadFraction());
  number_or_null("mac_roof_fraction", row.MacFraction());
  json["read_roof_gbps"] = row.MedianRoof(&Roof::read_gbps);
  json["mac_roof_gps"] = row.MedianRoof(&Roof::mac_gps);
  json["mac_roof_unit"] = HostRoof().unit;
  json["peak_rss_bytes"] = row.peak_rss;
  if (row.joules_per_token >= 0) {
    json["joules_per_token"] = row.joules_per_token;
  } else {
    json["joules_per_token"] = "not available";
  }
  return json;
}

std::string TestName(const Row& row) {
  std::string name;
  if (row.prompt > 0) name += Join("pp", row.prompt);
  if (row.generated > 0) name += Join(name.empty() ? "" : "+", "tg", row.generated);
  if (row.streams > 1) name += Join(" x ", row.streams, " streams");
  if (row.depth > 0) name += Join(" @ d", row.depth);
  return name;
}

// The row as a record: the whole test is the call, its tokens the workload's m.
Record AsRecord(const Row& row, const Model& model, const Options& o) {
  Record r;
  r.signature = HexHash(Join("trit ", std::string_view(TRIT_VERSION)));
  r.workload.suite = "model";
  r.workload.name = Join(model.config().facts->name, " ", model.parameters() / 1000000, " M head ",
                         model.weights().head_encoding, " kv ", o.run.kv, " ", TestName(row));
  r.workload.m = row.Tokens();
  r.candidate = row.candidate;
  r.target = row.target;
  r.build = BuildFromId(row.build_id);
  r.threads = row.threads;
  r.mode = "cold";
  for (const double s : row.seconds) r.samples_ns.push_back(s * 1e9);
  // A prefill reads its weights once a batch.
  const int reads = row.generated + (row.prompt + o.run.batch - 1) / o.run.batch;
  r.bytes = row.bytes_per_token * reads;
  r.ops = row.macs_per_token * row.Tokens();
  r.roof_bytes_per_s = row.MedianRoof(&Roof::read_gbps) * 1e9;
  r.roof_ops_per_s = row.MedianRoof(&Roof::mac_gps) * 1e9;
  return r;
}

void Run(const Options& o) {
  const std::vector<int> threads = o.threads.empty() ? std::vector<int>{0} : o.threads;
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  bool first = true;
  std::unique_ptr<RecordFolder> folder;
  if (!o.record.empty()) folder = std::make_unique<RecordFolder>(o.record);
  for (const int count : threads) {
    ResetPeakRss();
    Bench bench(o, count);
    const auto one = [&](int prompt, int generate, int depth, int streams) {
      const Row row = bench.Measure(prompt, generate, depth, streams);
      const auto json = Json(row, bench.model(), o);
      const auto [rate, deviation] = row.Rates();
      if (folder) folder->Append(AsRecord(row, bench.model(), o));
      if (o.output == "json") {
        all.push_back(json);
      } else if (o.output == "jsonl") {
        std::printf("%s\n", json.dump().c_str());
      } else if (o.output == "csv") {
        std::string names, values;
        for (const auto& [key, value] : json.items()) {
          names += (names.empty() ? "" : ",") + key;
          std::string text = value.dump();
          if (value.is_array()) text = "\"" + text + "\"";
          values += (values.empty() ? "" : ",") + text;
        }
        if (first) std::printf("%s\n", names.c_str());
        std::printf("%s\n", values.c_str());
      } else {
        if (first) {
          std::printf(
              "| model | size | params | threads | test | t/s | of read roof | of MAC roof |\n"
              "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
        }
        const auto percent = [](double fraction) {
          char text[32] = "";
          if (fraction >= 0) std::snprintf(text, sizeof(text), "%.1f %%", 100 * fraction);
          return std::string(text);
        };
        std::printf("| %s | %.2f MiB | %.2f M | %d | %s | %.2f ± %.2f | %s | %s |\n",
                    json["model_type"].get<std::string>().c_str(),
                    json["model_size"].get<double>() / 1048576,
                    json["model_n_params"].get<double>() / 1e6, row.threads, TestName(row).c_str(),
                    rate, deviation, percent(row.ReadFraction()).c_str(),
                    percent(row.MacFraction()).c_str());
      }
      std::fflush(stdout);
      first = false;
    };
    for (const int depth : o.depths) {
      for (const int prompt : o.prompts) {
        if (prompt > 0) one(prompt, 0, depth, 1);
      }
      for (const int generate : o.generate) {
        for (const int streams : o.streams) {
          if (generate > 0) one(0, generate, depth, streams);
        }
      }
    }
  }
  if (o.output == "json") std::printf("%s\n", all.dump(2).c_str());
  if (folder) std::fprintf(stderr, "records appended to %s\n", folder->path().c_str());
}

}  // namespace

void SetUpBench(CLI::App& app, int&) {
  auto o = std::make_shared<Options>();
  AddRunOptions(app, &o->run);
  app.remove_option(app.get_option("--threads"));
  app.add_option("-p,--n-prompt", o->prompts, "prefill tests: tokens, a list")->delimiter(',');
  app.add_option("-n,--n-gen", o->generate, "decode tests: tokens, a list")->delimiter(',');
  app.add_option("-t,--threads", o->threads, "thread counts, a list; default: all cores")
      ->delimiter(',')
      ->check(CLI::Range(0, ThreadPool::kMaxThreads));
  app.add_option("-d,--n-depth", o->depths, "tokens in the cache before a test, a list")
      ->delimiter(',')
      ->check(CLI::Range(0, 1 << 24));
  app.add_option("-s,--streams", o->streams, "sequences decoded together, a list; t/s is their sum")
      ->delimiter(',')
      ->check(CLI::Range(1, 256));
  app.add_option("-r,--repetitions", o->repetitions, "of each test")->check(CLI::Range(1, 1000));
  app.add_option("-o,--output", o->output, "md, csv, json (an array of rows) or jsonl")
      ->check(CLI::IsMember({"md", "csv", "json", "jsonl"}));
  app.add_option("--record", o->record, "append a record of each test in this folder");
  app.add_flag("--top-exact", o->top_exact,
               "logits as the server computes them: the largest exact, the others within a bound");
  app.add_flag("--no-roofs", o->no_roofs, "do not measure the machine's limits");
  app.footer("Example:\n  trit bench -m 2b4t.gguf -p 512 -n 128 -t 1,2 -r 3 -o json");
  app.callback([o] { Run(*o); });
}

}  // namespace trit::cli
