#include "autotune/report/tables.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "autotune/report/report.h"
#include "runtime/records/journal.h"
#include "targets/base/error.h"

namespace trit {
namespace {

constexpr std::string_view kBegin = "<!-- results: begin -->\n", kEnd = "<!-- results: end -->\n";

std::string Format(const char* format, double x) {
  char text[64];
  std::snprintf(text, sizeof(text), format, x);
  return text;
}

std::string Share(double share) {
  return share > 0 ? Format("%.0f %%", 100 * share) : "";
}

// The newest of each workload and host, kernels by shape, tokens and threads.
std::vector<const Measurement*> Newest(std::span<const Measurement> all, const std::string& suite) {
  std::map<std::pair<std::string, std::string>, const Measurement*> newest;
  for (const Measurement& m : all) {
    if (m.suite != suite || m.name.empty()) continue;
    const Measurement*& kept = newest[{m.host_key, m.workload}];
    if (!kept || m.time_s >= kept->time_s) kept = &m;
  }
  std::vector<const Measurement*> out;
  for (const auto& [key, m] : newest) out.push_back(m);
  const auto order = [](const Measurement* m) {
    return std::make_tuple(m->host_key, m->suite == "model" ? m->name : std::string(), m->n, m->k,
                           m->tokens, m->threads, m->name, m->workload);
  };
  std::stable_sort(out.begin(), out.end(),
                   [&](const Measurement* a, const Measurement* b) { return order(a) < order(b); });
  return out;
}

std::string KernelHead() {
  return "| N x K | tokens | threads | kernel | us | GMAC/s | GB/s packed | of read roof | of "
         "multiply "
         "roof |\n|---:|---:|---:|---|---:|---:|---:|---:|---:|\n";
}

std::string KernelRow(const Measurement& m) {
  const double ns = m.MedianNs();
  const std::string family = m.candidate.substr(0, m.candidate.find(' '));
  return Join("| ", m.n, " x ", m.k, " | ", m.tokens, " | ", m.threads, " | ",
              m.name == "shipped" ? Join(family, " ", m.target) : m.name,
              m.name == "shipped" ? " (shipped)" : "", m.workload.ends_with(" hot") ? ", hot" : "",
              " | ", Format("%.1f", ns / 1e3), " | ", Format("%.1f", m.ops / ns), " | ",
              Format("%.1f", m.bytes / ns), " | ", Share(m.ReadRoofFraction()), " | ",
              Share(m.OpsRoofFraction()), " |\n");
}

std::string ModelHead() {
  return "| model and test | threads | tokens/s | of read roof | of multiply roof |\n"
         "|---|---:|---:|---:|---:|\n";
}

// A decode is limited by reading, a prefill by multiplying; of each the other share says nothing.
std::string ModelRow(const Measurement& m) {
  const bool prefill = m.OpsRoofFraction() > m.ReadRoofFraction();
  return Join("| ", m.name, " | ", m.threads, " | ",
              Format("%.1f", static_cast<double>(m.tokens) / (m.MedianNs() * 1e-9)), " | ",
              prefill ? "" : Share(m.ReadRoofFraction()), " | ",
              prefill ? Share(m.OpsRoofFraction()) : "", " |\n");
}

std::string Commits(const std::vector<const Measurement*>& rows) {
  std::map<std::string, int64_t> commits;
  for (const Measurement* m : rows) {
    auto& time = commits[m->commit.empty() ? "?" : m->commit];
    time = std::max(time, m->time_s);
  }
  std::string out;
  for (const auto& [commit, time] : commits) {
    out += Join(out.empty() ? "" : ", ", commit, " (", TimeText(time), ")");
  }
  return out;
}

template <typename Row>
std::string ByHost(const std::vector<const Measurement*>& rows, const std::string& head, Row row) {
  std::string out;
  for (size_t i = 0; i < rows.size();) {
    std::vector<const Measurement*> here;
    for (; i < rows.size() && (here.empty() || rows[i]->host_key == here[0]->host_key); ++i) {
      here.push_back(rows[i]);
    }
    out += Join("\n## ", here[0]->host, "\n\nHost key ", here[0]->host_key, "; measured with ",
                Commits(here), ".\n\n", head);
    for (const Measurement* m : here) out += row(*m);
  }
  return out;
}

}  // namespace

std::string KernelTable(std::span<const Measurement> measurements) {
  return "# Kernels\n\nGenerated from `../records` (`tritforge report --results`): the newest "
         "record of "
         "each workload,\nmedians of all samples; roofs were measured in turns with the kernel.\n" +
         ByHost(Newest(measurements, "matmul"), KernelHead(), KernelRow);
}

std::string ModelTable(std::span<const Measurement> measurements) {
  return "# Whole models\n\nGenerated from `../records` (`tritforge report --results`): the newest "
         "record "
         "of each test of\n`trit bench`. pp: prefill, tg: decode, of so many tokens.\n" +
         ByHost(Newest(measurements, "model"), ModelHead(), ModelRow);
}

std::string ReadmeTables(std::span<const Measurement> measurements) {
  std::vector<const Measurement*> models = Newest(measurements, "model"),
                                  kernels = Newest(measurements, "matmul");
  const Measurement* last = nullptr;
  for (const auto* list : {&models, &kernels}) {
    for (const Measurement* m : *list) {
      if (!last || m->time_s > last->time_s) last = m;
    }
  }
  if (!last) return "Nothing was measured yet.\n";
  const auto other = [&](const Measurement* m) { return m->host_key != last->host_key; };
  std::erase_if(models, other);
  std::erase_if(kernels, [&](const Measurement* m) { return other(m) || m->name != "shipped"; });
  std::string out = Join("On ", last->host, ":\n\n");
  if (!models.empty()) {
    out += ModelHead();
    for (const Measurement* m : models) out += ModelRow(*m);
    out += "\n";
  }
  if (!kernels.empty()) {
    out += KernelHead();
    for (const Measurement* m : kernels) out += KernelRow(*m);
    out += "\n";
  }
  return out +
         "Medians of the newest records; shares are of the read bandwidth and of the int8 unit's "
         "peak\nmeasured in turns with them. More: `results/tables/`.\n";
}

std::string WithResults(const std::string& readme, const std::string& tables) {
  const size_t begin = readme.find(kBegin), end = readme.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin ||
      readme.find(kBegin, begin + 1) != std::string::npos ||
      readme.find(kEnd, end + 1) != std::string::npos) {
    throw Error(Join("The README does not hold the lines ", kBegin.substr(0, kBegin.size() - 1),
                     " and ", kEnd.substr(0, kEnd.size() - 1), " once each, in this order."));
  }
  return Join(readme.substr(0, begin + kBegin.size()), "\n", tables, "\n", readme.substr(end));
}

std::map<std::string, std::string> ResultFiles(const std::string& folder) {
  const std::vector<Measurement> all = ReadMeasurements(folder + "/records");
  const std::string readme =
      (std::filesystem::absolute(folder).lexically_normal() / ".." / "README.md")
          .lexically_normal()
          .string();
  return {{folder + "/tables/kernels.md", KernelTable(all)},
          {folder + "/tables/models.md", ModelTable(all)},
          {readme, WithResults(ReadWholeFile(readme), ReadmeTables(all))}};
}

}  // namespace trit
