// tritforge measure-candidate: the measuring child (autotune/measure/child.h). Not for people.
//
// Besides candidates it loads what a runtime would choose, for comparisons of libraries and builds:
//     shipped N K M THREADS [FILE]     FILE = a kernel library; none = the kernels of this program
#include <unistd.h>

#include <sstream>

#include "autotune/cli/command.h"
#include "autotune/measure/child.h"
#include "generator/kernel.h"
#include "runtime/kernel_set.h"
#include "runtime/linked/linked.h"
#include "targets/base/error.h"

namespace trit {
namespace {

LoadedKernel LoadShipped(const std::string& text) {
  std::istringstream words(text);
  std::string word, file;
  int32_t n = 0, k = 0, m = 0;
  int threads = 0;
  words >> word >> n >> k >> m >> threads;
  if (!words || n < 1 || k < 1 || m < 1 || threads < 1) throw Error("shipped N K M THREADS [FILE]");
  std::getline(words >> std::ws, file);
  KernelSetOptions options;
  if (!file.empty()) options.files = {file};
  if (file.empty()) options.linked = LinkedLibraries();
  auto kernels = std::make_shared<KernelSet>(options);
  const trit_layout& layout = kernels->ChooseLayout(n, k, threads);
  const KernelChoice choice = kernels->ChooseKernel(layout, n, k, m, threads);
  return {{kernels, choice.kernel}, choice.n_per_task, choice.m_per_task};
}

}  // namespace

void AddMeasureCandidate(CLI::App& program) {
  CLI::App* command = program.add_subcommand("measure-candidate", "");
  command->group("");
  command->callback([] {
    const KernelSource source = [](const std::string& text) -> LoadedKernel {
      if (text.starts_with("shipped ")) return LoadShipped(text);
      auto jit = std::make_shared<JitKernel>(ReadCandidate(text));
      return {{jit, &jit->kernel()}};
    };
    // Not std::exit: static destructors of LLVM and Halide have nothing left to do here.
    _exit(ServeMeasurements(source, STDIN_FILENO, STDOUT_FILENO));
  });
}

}  // namespace trit
