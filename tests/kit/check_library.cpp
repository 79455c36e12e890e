#include "tests/kit/check_library.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <set>

#include "targets/base/error.h"

namespace trit::kit {
namespace {

// What a child says on its pipe: three counts, then fault sentences, each ended by a zero byte.
struct Counts {
  int32_t layouts, kernels;
  int64_t products;
};

void WriteAll(int fd, const void* data, size_t bytes) {
  const char* p = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t wrote = write(fd, p, bytes);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;
    p += wrote;
    bytes -= static_cast<size_t>(wrote);
  }
}

std::string ReadAll(int fd) {
  std::string text;
  char piece[4096];
  for (;;) {
    const ssize_t got = read(fd, piece, sizeof(piece));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(piece, static_cast<size_t>(got));
  }
}

void InChild(const std::string& name, const CheckOptions& options, CheckReport* report,
             const std::function<void(CheckReport*)>& check) {
  int ends[2];
  if (pipe(ends) != 0) throw Error(Join("no pipe: ", std::strerror(errno)));
  const pid_t child = fork();
  if (child < 0) throw Error(Join("no child process: ", std::strerror(errno)));
  if (child == 0) {
    close(ends[0]);
    // Faults are the parent's to report: a sanitizer or a test framework must not handle them.
    for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM}) {
      std::signal(signal, SIG_DFL);
    }
    alarm(static_cast<unsigned>(options.timeout_s));
    CheckReport own;
    check(&own);
    const Counts counts{own.layouts, own.kernels, own.products};
    WriteAll(ends[1], &counts, sizeof(counts));
    for (const std::string& fault : own.faults) WriteAll(ends[1], fault.c_str(), fault.size() + 1);
    _exit(0);
  }
  close(ends[1]);
  const std::string said = ReadAll(ends[0]);
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  Counts counts{};
  if (said.size() >= sizeof(counts)) {
    std::memcpy(&counts, said.data(), sizeof(counts));
    report->layouts += counts.layouts;
    report->kernels += counts.kernels;
    report->products += counts.products;
    for (size_t at = sizeof(counts); at < said.size();) {
      const std::string fault(said.c_str() + at);
      report->faults.push_back(fault);
      at += fault.size() + 1;
    }
  }
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    report->faults.push_back(
        signal == SIGALRM ? Join(name, ": takes more than ", options.timeout_s, " seconds")
                          : Join(name, ": dies of signal ", signal, " (", strsignal(signal), ")"));
  } else if (said.size() < sizeof(counts)) {
    report->faults.push_back(Join(name, ": its check ends with status ", WEXITSTATUS(status)));
  }
}

}  // namespace

CheckReport CheckLibrary(const KernelLibrary& library, const CheckOptions& options) {
  CheckReport report;
  report.ran_kernels = library.runnable();
  const auto check = [&](const std::string& name, const std::function<void(CheckReport*)>& fn) {
    options.isolate ? InChild(name, options, &report, fn) : fn(&report);
  };
  std::set<const trit_layout*> layouts;
  for (const trit_kernel* kernel : library.kernels()) {
    if (std::string(kernel->name).find(options.only) == std::string::npos) continue;
    if (layouts.insert(kernel->layout).second) {
      check(Join("layout ", kernel->layout->id),
            [&](CheckReport* r) { CheckLayout(*kernel->layout, options, r); });
    }
    if (!library.runnable()) continue;
    check(Join("kernel ", kernel->name), [&](CheckReport* r) { CheckKernel(*kernel, options, r); });
  }
  return report;
}

}  // namespace trit::kit
