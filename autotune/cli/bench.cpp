// tritforge bench: times kernels beside the roofs of the machine.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "autotune/bench/kernel_bench.h"
#include "autotune/cli/command.h"
#include "autotune/cli/shapes.h"
#include "autotune/registry.h"
#include "autotune/stats/robust.h"
#include "generator/kernel.h"
#include "runtime/kernel_library.h"
#include "runtime/kernel_set.h"
#include "runtime/linked/linked.h"
#include "runtime/memory.h"
#include "runtime/records/folder.h"
#include "runtime/roofs.h"
#include "targets/base/error.h"
#include "targets/features.h"

namespace trit {
namespace {

struct Options {
  std::string shapes = "2b4t", format = "md", isa, library;
  std::vector<int32_t> m = {1};
  std::vector<int> threads = {1};
  std::vector<std::string> candidates, families;
  bool hot = false;
  bool shipped = false;
  std::string record;
  int samples = 15;
  int32_t n_per_task = 0, m_per_task = 0;
};

// What is timed: a kernel and how its product is cut.
struct Subject {
  const trit_kernel* kernel = nullptr;
  const Target* target = nullptr;
  int32_t n_per_task = 0, m_per_task = 0;
  std::string name = {};      // of the workload in records; empty = family and target
  std::string build_id = {};  // of the kernel's library; empty = this program's
};

// Where kernels come from: for a shape and a number of tokens, the ones to time.
class Source {
 public:
  virtual ~Source() = default;
  virtual std::vector<Subject> For(const Shape& shape, int32_t m, int threads) = 0;
};

class Candidates : public Source {
 public:
  explicit Candidates(const Options& options) : options_(options) {
    for (const std::string& text : options.candidates) {
      kernels_.push_back(std::make_unique<JitKernel>(ReadCandidate(text)));
      for (const std::string& f : kernels_.back()->features()) {
        if (!HostFeatures().Has(f)) throw Error(Join("this CPU lacks ", f, " for \"", text, "\""));
      }
    }
  }
  std::vector<Subject> For(const Shape&, int32_t, int) override {
    std::vector<Subject> out;
    for (const auto& jit : kernels_) {
      out.push_back({&jit->kernel(), &FindTarget(jit->candidate().target), options_.n_per_task,
                     options_.m_per_task});
    }
    return out;
  }

 private:
  const Options& options_;
  std::vector<std::unique_ptr<JitKernel>> kernels_;
};

// A library's kernels, one a family: the layout of the family's first row for one token, and the
// first row that reads it for m.
class Library : public Source {
 public:
  explicit Library(const Options& options) : options_(options) {
    if (!options.library.empty()) {
      library_ = KernelLibrary::FromFile(options.library);
    } else {
      for (trit_library_fn entry : LinkedLibraries()) {
        auto candidate = KernelLibrary::FromTable(entry, "the built-in set");
        const bool wanted =
            options.isa.empty() ? candidate->runnable() : options.isa == candidate->target().key;
        if (wanted && (!library_ || candidate->target().rank > library_->target().rank)) {
          library_ = candidate;
        }
      }
      if (!library_) throw Error(Join("there are no built-in kernels for \"", options.isa, "\""));
    }
    if (!library_->runnable()) {
      throw Error(Join("this CPU lacks ", library_->missing_features()[0], " for ",
                       library_->target().key));
    }
    for (const trit_kernel* k : library_->kernels()) {
      if (std::find(families_.begin(), families_.end(), k->family) == families_.end()) {
        families_.push_back(k->family);
      }
    }
    for (const std::string& f : options.families) {
      if (std::find(families_.begin(), families_.end(), f) == families_.end()) {
        std::string known;
        for (const std::string& name : families_) known += " " + name;
        throw Error(Join("the library of ", library_->target().key, " has no kernel of ", f,
                         "; it has", known));
      }
    }
    if (!options.families.empty()) families_ = options.families;
  }

  std::vector<Subject> For(const Shape& shape, int32_t m, int threads) override {
    std::vector<Subject> out;
    for (const std::string& family : families_) {
      const trit_choice* first = Find(shape, 1, threads, family, nullptr);
      if (!first) continue;
      const trit_layout* layout = library_->kernels()[first->kernel]->layout;
      const trit_choice* row = Find(shape, m, threads, family, layout);
      if (!row) row = Find(shape, m, threads, "", layout);
      if (!row) continue;
      out.push_back({library_->kernels()[row->kernel], &library_->target(),
                     options_.n_per_task ? options_.n_per_task : row->n_per_task,
                     options_.m_per_task ? options_.m_per_task : row->m_per_task, "",
                     library_->build_id()});
    }
    return out;
  }

 private:
  const trit_choice* Find(const Shape& shape, int32_t m, int threads, const std::string& family,
                          const trit_layout* layout) const {
    for (const trit_choice& c : library_->choices()) {
      const trit_kernel* k = library_->kernels()[c.kernel];
      if ((c.n && c.n != shape.n) || (c.k && c.k != shape.k) || m < c.m_min || m > c.m_max ||
          (c.threads && c.threads != threads)) {
        continue;
      }
      if ((!family.empty() && family != k->family) ||
          (layout && std::string_view(layout->id) != k->layout->id)) {
        continue;
      }
      return &c;
    }
    return nullptr;
  }

  const Options& options_;
  std::shared_ptr<const KernelLibrary> library_;
  std::vector<std::string> families_;
};

// What a runtime would choose by itself for a tensor: its layout by decode, its kernel by M.
class Shipped : public Source {
 public:
  explicit Shipped(const Options& options)
      : options_(options),
        kernels_({.files = options.library.empty() ? std::vector<std::string>{}
                                                   : std::vector{options.library},
                  .linked = LinkedLibraries(),
                  .target = options.isa}) {}

  std::vector<Subject> For(const Shape& shape, int32_t m, int threads) override {
    const trit_layout& layout = kernels_.ChooseLayout(shape.n, shape.k, threads);
    const KernelChoice c = kernels_.ChooseKernel(layout, shape.n, shape.k, m, threads);
    if (!c.library) return {};
    return {{c.kernel, &c.library->target(),
             options_.n_per_task ? options_.n_per_task : c.n_per_task,
             options_.m_per_task ? options_.m_per_task : c.m_per_task, "shipped",
             c.library->build_id()}};
  }

 private:
  const Options& options_;
  KernelSet kernels_;
};

// Kernel, read roof and multiply roof in turns, so that whatever else happens on the machine meets
// all three; each is judged by its median.
nlohmann::ordered_json Row(const Subject& subject, const Shape& shape, int32_t m,
                           const Options& options, ThreadPool& pool) {
  BenchCase c;
  c.kernel = subject.kernel;
  c.n = shape.n;
  c.k = shape.k;
  c.m = m;
  c.hot = options.hot;
  c.n_per_task = subject.n_per_task;
  c.m_per_task = subject.m_per_task;
  KernelBench bench(c, pool);
  const RoofBody* body = FindRoof(*subject.target);
  std::shared_ptr<std::byte> read_buffer;
  std::span<const std::byte> memory = bench.memory();
  if (memory.size() < (uint64_t{128} << 20)) {
    read_buffer = AllocateBlock(uint64_t{128} << 20, 4096);
    std::fill_n(read_buffer.get(), size_t{128} << 20, std::byte{1});
    memory = {read_buffer.get(), size_t{128} << 20};
  }
  constexpr size_t kReadPiece = size_t{128} << 20;
  std::vector<double> reads, macs;
  size_t at = 0;
  for (int i = 0; i < options.samples; ++i) {
    bench.Sample();
    if (!body) continue;
    if (at + kReadPiece > memory.size()) at = 0;
    reads.push_back(ReadGbpsOnce(pool, *body, memory.data() + at, kReadPiece));
    at += kReadPiece;
    macs.push_back(MacGpsOnce(pool, *body, 2e-3));
  }
  const BenchSummary s = bench.Summary();
  const double weights = static_cast<double>(shape.n) * shape.k;
  const double w_ns = weights / s.median_ns;
  const double gbps = static_cast<double>(s.packed_bytes) / s.median_ns;
  nlohmann::ordered_json row = {{"family", subject.kernel->family},
                                {"layout", subject.kernel->layout->id},
                                {"isa", subject.target->key},
                                {"n", shape.n},
                                {"k", shape.k},
                                {"m", m},
                                {"threads", pool.threads()},
                                {"median_ns", s.median_ns},
                                {"spread", s.spread},
                                {"weights_per_s", w_ns * 1e9},
                                {"packed_gbps", gbps},
                                {"read_roof_fraction", nullptr},
                                {"mac_roof_fraction", nullptr},
                                {"hot", options.hot},
                                {"macs_per_s", w_ns * m * 1e9},
                                {"read_roof_gbps", nullptr},
                                {"mac_roof_per_s", nullptr},
                                {"mac_roof", nullptr},
                                {"prepare_ns", s.prepare_ns},
                                {"packed_bytes", s.packed_bytes},
                                {"kernel", subject.kernel->name},
                                {"candidate", subject.kernel->candidate},
                                {"samples_ns", s.samples_ns}};
  if (body) {
    row["read_roof_gbps"] = Median(reads);
    row["mac_roof_per_s"] = Median(macs) * 1e9;
    row["mac_roof"] = body->unit;
    row["read_roof_fraction"] = gbps / Median(reads);
    row["mac_roof_fraction"] = w_ns * m / Median(macs);
  }
  return row;
}

// The row as a record: bytes and work of a call, roofs in units a second.
Record AsRecord(const Subject& subject, const nlohmann::ordered_json& row, const Options& options) {
  Record r;
  r.signature = ProgramSignature();
  r.workload = {"matmul",
                subject.name.empty() ? Join(std::string_view(subject.kernel->family), " ",
                                            std::string_view(subject.target->key))
                                     : subject.name,
                row["m"], row["n"], row["k"]};
  r.candidate = subject.kernel->candidate;
  r.target = subject.target->key;
  r.build = subject.build_id.empty() ? ProgramBuild() : BuildFromId(subject.build_id);
  r.threads = row["threads"];
  r.mode = options.hot ? "hot" : "cold";
  r.n_per_task = subject.n_per_task;
  r.m_per_task = subject.m_per_task;
  r.samples_ns = row["samples_ns"].get<std::vector<double>>();
  r.bytes = row["packed_bytes"].get<double>();
  r.ops = static_cast<double>(r.workload.m) * static_cast<double>(r.workload.n) *
          static_cast<double>(r.workload.k);
  if (!row["read_roof_gbps"].is_null()) {
    r.roof_bytes_per_s = row["read_roof_gbps"].get<double>() * 1e9;
    r.roof_ops_per_s = row["mac_roof_per_s"].get<double>();
  }
  return r;
}

void PrintRow(const nlohmann::ordered_json& r) {
  const auto number = [&](const char* field) {
    return r[field].is_null() ? 0.0 : r[field].get<double>();
  };
  std::printf(
      "| %s | %s | %d x %d | %d | %d | %.1f | %.3f | %.1f | %.1f | %.2f | %.1f %% of %.1f | "
      "%.1f %% of %.0f | %.1f | %s |\n",
      r["family"].get<std::string>().c_str(), r["isa"].get<std::string>().c_str(),
      r["n"].get<int>(), r["k"].get<int>(), r["m"].get<int>(), r["threads"].get<int>(),
      number("median_ns") / 1e3, number("spread"), number("weights_per_s") / 1e9,
      number("macs_per_s") / 1e9, number("packed_gbps"), 100 * number("read_roof_fraction"),
      number("read_roof_gbps"), 100 * number("mac_roof_fraction"), number("mac_roof_per_s") / 1e9,
      number("prepare_ns") / 1e3, r["candidate"].get<std::string>().c_str());
  std::fflush(stdout);
}

void Run(const Options& options) {
  std::unique_ptr<Source> source;
  if (options.shipped) {
    source = std::make_unique<Shipped>(options);
  } else if (options.candidates.empty()) {
    source = std::make_unique<Library>(options);
  } else {
    source = std::make_unique<Candidates>(options);
  }
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  if (options.format == "md") {
    std::printf(
        "| family | isa | n x k | m | threads | us | spread | Gw/s | GMAC/s | packed GB/s | "
        "read roof | mac roof | prepare us | candidate |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  }
  std::unique_ptr<RecordFolder> folder;
  if (!options.record.empty()) folder = std::make_unique<RecordFolder>(options.record);
  for (const int threads : options.threads) {
    ThreadPool pool(threads);
    for (const Shape& shape : ParseShapes(options.shapes)) {
      for (const int32_t m : options.m) {
        const auto subjects = source->For(shape, m, threads);
        if (subjects.empty()) {
          throw Error(Join("no kernel for ", shape.n, " x ", shape.k, " with ", m, " tokens"));
        }
        for (const Subject& subject : subjects) {
          nlohmann::ordered_json row = Row(subject, shape, m, options, pool);
          if (folder) folder->Append(AsRecord(subject, row, options));
          if (options.format == "md") {
            PrintRow(row);
          } else {
            rows.push_back(std::move(row));
          }
        }
      }
    }
  }
  if (options.format == "json") std::printf("%s\n", rows.dump(1).c_str());
  if (folder) std::fprintf(stderr, "records appended to %s\n", folder->path().c_str());
}

}  // namespace

void AddBench(CLI::App& program) {
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "bench", "Times kernels beside the machine's roofs; weights are cold unless --hot");
  command->add_option("--shapes", options->shapes, "NxK,... or 2b4t")->capture_default_str();
  command->add_option("--m", options->m, "token counts")
      ->delimiter(',')
      ->check(CLI::Range(1, 1 << 20));
  command->add_option("--threads", options->threads, "thread counts")
      ->delimiter(',')
      ->check(CLI::Range(1, 1024));
  CLI::Option* isa = command->add_option("--isa", options->isa, "built-in kernels of this target");
  command->add_option("--library", options->library, "kernels of this shared library")
      ->excludes(isa);
  command->add_option("--family", options->families, "only these families")->delimiter(',');
  command->add_option("--candidate", options->candidates,
                      "a candidate's text instead of a library; may be repeated");
  command->add_flag("--hot", options->hot, "weights stay in cache");
  command->add_option("--samples", options->samples, "samples a row")->check(CLI::Range(1, 1000));
  command
      ->add_option("--n-per-task", options->n_per_task, "rows of a slice; 0 = as the choice says")
      ->check(CLI::Range(0, INT32_MAX));
  command->add_option("--m-per-task", options->m_per_task, "tokens of a slice")
      ->check(CLI::Range(0, INT32_MAX));
  command
      ->add_flag("--shipped", options->shipped,
                 "the one kernel a runtime would choose for a shape, not one of each family")
      ->excludes("--candidate")
      ->excludes("--family");
  command->add_option("--record", options->record, "append a record of each row in this folder");
  command->add_option("-o,--output", options->format, "json or md")
      ->check(CLI::IsMember({"json", "md"}));
  command->callback([options] { Run(*options); });
}

}  // namespace trit
