// tritforge inspect LIB: the tables of a kernel library.
#include <dlfcn.h>

#include <cstdio>
#include <memory>

#include "autotune/cli/command.h"
#include "generator/library/build.h"
#include "runtime/kernel_library.h"
#include "targets/base/error.h"

namespace trit {
namespace {

void Run(const std::string& path, bool json) {
  // Opens and checks every claim before anything is read.
  const auto checked = KernelLibrary::FromFile(path);
  void* handle = dlopen(path.find('/') == std::string::npos ? ("./" + path).c_str() : path.c_str(),
                        RTLD_NOW | RTLD_LOCAL);
  if (!handle) throw Error(Join("cannot open ", path, ": ", dlerror()));
  const auto entry = reinterpret_cast<trit_library_fn>(dlsym(handle, TRIT_LIBRARY_SYMBOL));
  if (!entry) throw Error(Join(path, " has no symbol ", TRIT_LIBRARY_SYMBOL));
  const nlohmann::ordered_json tables = DescribeTables(*entry());
  if (json) {
    std::printf("%s\n", tables.dump(1).c_str());
    return;
  }
  const auto text = [](const nlohmann::ordered_json& value) { return value.get<std::string>(); };
  std::printf("%s: %s (%s), ABI %d.%d, %s\n", path.c_str(), text(tables["target"]).c_str(),
              text(tables["arch"]).c_str(), tables["abi"][0].get<int>(),
              tables["abi"][1].get<int>(), text(tables["build_id"]).c_str());
  std::string features, missing;
  for (const auto& f : tables["features"]) features += " " + text(f);
  for (const std::string& f : checked->missing_features()) missing += " " + f;
  std::printf("needs%s%s%s\n", features.c_str(), missing.empty() ? "" : "; this CPU lacks",
              missing.c_str());
  for (const auto& l : tables["layouts"]) {
    std::printf("layout %s: granule %d rows, K by %d, aligned to %d\n", text(l["id"]).c_str(),
                l["n_granule"].get<int>(), l["k_multiple"].get<int>(), l["align"].get<int>());
  }
  for (const auto& f : tables["act_forms"]) std::printf("form %s\n", text(f["id"]).c_str());
  int index = 0;
  for (const auto& k : tables["kernels"]) {
    std::printf("kernel %d: %s, %s x %s, tokens by %d, scratch %llu\n         %s\n", index++,
                text(k["name"]).c_str(), text(k["layout"]).c_str(), text(k["act_form"]).c_str(),
                k["m_granule"].get<int>(), k["scratch_bytes"].get<unsigned long long>(),
                text(k["candidate"]).c_str());
  }
  for (const auto& c : tables["choices"]) {
    const auto any = [](int v) { return v ? std::to_string(v) : std::string("any"); };
    const int last = c["m_max"].get<int>();
    std::printf(
        "choice n %s, k %s, m %d..%s, threads %s -> kernel %d (%d rows, %d tokens a task)\n",
        any(c["n"].get<int>()).c_str(), any(c["k"].get<int>()).c_str(), c["m_min"].get<int>(),
        last == INT32_MAX ? "max" : std::to_string(last).c_str(),
        any(c["threads"].get<int>()).c_str(), c["kernel"].get<int>(), c["n_per_task"].get<int>(),
        c["m_per_task"].get<int>());
  }
}

}  // namespace

void AddInspect(CLI::App& program) {
  struct Options {
    std::string path;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("inspect", "Prints the tables of a kernel library");
  command->add_option("library", options->path, "a shared kernel library")->required();
  command->add_flag("--json", options->json, "as the manifest has it");
  command->callback([options] { Run(options->path, options->json); });
}

}  // namespace trit
