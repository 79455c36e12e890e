// trit_check_library [options] FILE...: holds every kernel of kernel libraries against the oracle.
// Exit status 0: everything holds. 1: a library was refused or a kernel is wrong. 2: usage.
// --linked checks the libraries linked into this program and the portable one.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "runtime/linked/linked.h"
#include "runtime/portable/portable.h"
#include "targets/base/error.h"
#include "tests/kit/check_library.h"
#include "tests/kit/digest.h"

namespace {

int Check(const trit::KernelLibrary& library, const trit::kit::CheckOptions& options) {
  const trit::kit::CheckReport report = trit::kit::CheckLibrary(library, options);
  for (const std::string& fault : report.faults) {
    std::fprintf(stderr, "%s: %s\n", library.name().c_str(), fault.c_str());
  }
  std::printf("%s: %d layouts, %d kernels, %lld products, %zu faults%s\n", library.name().c_str(),
              report.layouts, report.kernels, static_cast<long long>(report.products),
              report.faults.size(),
              report.ran_kernels ? "" : " (this CPU cannot run its kernels: layouts only)");
  std::fflush(stdout);
  return report.ok() ? 0 : 1;
}

bool Number(const char* text, int* value) {
  char* end = nullptr;
  const long parsed = std::strtol(text, &end, 10);
  *value = static_cast<int>(parsed);
  return *text != '\0' && *end == '\0' && parsed >= 1 && parsed <= 1'000'000;
}

}  // namespace

int main(int argc, char** argv) {
  trit::kit::CheckOptions options;
  std::vector<std::string> files;
  bool linked = false, digest = false;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    int value = 0;
    if (arg == "--linked") {
      linked = true;
    } else if (arg == "--together") {
      options.isolate = false;
    } else if (arg == "--digest") {
      digest = true;
    } else if (arg == "--only" && i + 1 < argc) {
      options.only = argv[++i];
    } else if ((arg == "--sweep" || arg == "--seed") && i + 1 < argc &&
               Number(argv[i + 1], &value)) {
      if (arg == "--seed") options.seed = static_cast<uint64_t>(value);
      if (arg == "--sweep") options.sweep = value;
      ++i;
    } else if (!arg.empty() && arg[0] != '-') {
      files.push_back(arg);
    } else {
      files.clear();
      linked = false;
      break;
    }
  }
  if (files.empty() && !linked) {
    std::fprintf(
        stderr,
        "usage: trit_check_library [--sweep N] [--seed N] [--only TEXT] [--together] [--digest]\n"
        "                          [--linked] FILE...\n"
        "  --sweep N    1 = quick (default), larger = more random shapes\n"
        "  --only TEXT  kernels whose name contains TEXT\n"
        "  --together   no child process for each kernel\n"
        "  --digest     prints one number for the sums on fixed data, the same for every right "
        "library\n"
        "  --linked     the libraries linked into this program\n");
    return 2;
  }
  int status = 0;
  try {
    if (linked) {
      for (const trit_library_fn entry : trit::LinkedLibraries()) {
        status |=
            Check(*trit::KernelLibrary::FromTable(entry, trit::Join("built-in ", entry()->target)),
                  options);
      }
      status |= Check(*trit::KernelLibrary::FromTable(trit::PortableLibrary, "portable"), options);
    }
    for (const std::string& file : files) {
      const auto library = trit::KernelLibrary::FromFile(file);
      if (digest) {
        std::printf("%016llx %s\n",
                    static_cast<unsigned long long>(trit::kit::SumsDigest(*library)), file.c_str());
      } else {
        status |= Check(*library, options);
      }
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "trit_check_library: %s\n", e.what());
    return 1;
  }
  return status;
}
