#include "runtime/kernel_library.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

#include "runtime/elf_check.h"
#include "runtime/library_check.h"
#include "targets/base/error.h"
#include "targets/features.h"

namespace trit {
namespace {

// The mapped segments of one loaded object.
struct Segments {
  struct Range {
    uintptr_t begin, end;
    bool code;
  };
  uintptr_t inside = 0;  // an address of the object that is looked for
  std::vector<Range> ranges;

  static int Visit(dl_phdr_info* info, size_t, void* self_pointer) {
    Segments& self = *static_cast<Segments*>(self_pointer);
    std::vector<Range> ranges;
    bool found = false;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
      const auto& p = info->dlpi_phdr[i];
      if (p.p_type != PT_LOAD) continue;
      const uintptr_t begin = info->dlpi_addr + p.p_vaddr;
      const Range r{begin, begin + p.p_memsz, (p.p_flags & PF_X) != 0};
      found = found || (self.inside >= r.begin && self.inside < r.end);
      if ((p.p_flags & PF_R) != 0) ranges.push_back(r);
    }
    if (found) self.ranges = std::move(ranges);
    return found ? 1 : 0;
  }

  bool Data(const void* p, uint64_t bytes) const {
    const uintptr_t a = reinterpret_cast<uintptr_t>(p);
    for (const Range& r : ranges) {
      if (a >= r.begin && a < r.end && bytes <= r.end - a) return true;
    }
    return false;
  }
  bool Code(const void* p) const {
    const uintptr_t a = reinterpret_cast<uintptr_t>(p);
    for (const Range& r : ranges) {
      if (r.code && a >= r.begin && a < r.end) return true;
    }
    return false;
  }
};

// What the symbol table says: read-only data may lie in an executable segment (GNU ld for AArch64).
bool IsFunctionSymbol(const void* symbol) {
  Dl_info info;
  const ElfW(Sym)* entry = nullptr;
  void** out = reinterpret_cast<void**>(const_cast<ElfW(Sym)**>(&entry));
  return dladdr1(symbol, &info, out, RTLD_DL_SYMENT) != 0 && entry != nullptr &&
         ELF64_ST_TYPE(entry->st_info) == STT_FUNC;
}

}  // namespace

KernelLibrary::~KernelLibrary() {
  if (handle_ != nullptr) dlclose(handle_);
}

std::shared_ptr<const KernelLibrary> KernelLibrary::FromTable(trit_library_fn entry,
                                                              std::string name) {
  if (entry == nullptr) throw Error(Join(name, ": its entry is a null pointer"));
  std::shared_ptr<KernelLibrary> out(new KernelLibrary);
  CheckedTables tables = CheckTables(entry(), name, LibraryMemory{});
  out->name_ = std::move(name);
  out->Take(std::move(tables));
  return out;
}

void KernelLibrary::Take(CheckedTables tables) {
  target_ = tables.target;
  build_id_ = std::move(tables.build_id);
  features_ = std::move(tables.features);
  kernels_ = std::move(tables.kernels);
  choices_ = std::move(tables.choices);
  for (const std::string& f : features_) {
    if (!HostFeatures().Has(f)) missing_.push_back(f);
  }
}

std::shared_ptr<const KernelLibrary> KernelLibrary::Load(const std::string& path,
                                                         const std::string& absolute) {
  std::shared_ptr<KernelLibrary> out(new KernelLibrary);
  out->name_ = path;
  out->handle_ = dlopen(absolute.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (out->handle_ == nullptr) {
    const char* reason = dlerror();
    throw Error(Join(path, ": cannot be loaded: ", reason == nullptr ? "?" : reason));
  }
  dlerror();
  void* symbol = dlsym(out->handle_, TRIT_LIBRARY_SYMBOL);
  if (symbol == nullptr) {
    throw Error(Join(path, ": exports no symbol " TRIT_LIBRARY_SYMBOL
                           ": it is no kernel library of this ABI version"));
  }
  Segments segments;
  segments.inside = reinterpret_cast<uintptr_t>(symbol);
  dl_iterate_phdr(Segments::Visit, &segments);
  // A library that merely depends on another one would resolve the symbol there.
  link_map* map = nullptr;
  if (dlinfo(out->handle_, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr ||
      !segments.Data(map->l_ld, 1)) {
    throw Error(Join(path, ": the symbol " TRIT_LIBRARY_SYMBOL " is not its own"));
  }
  if (!segments.Code(symbol) || !IsFunctionSymbol(symbol)) {
    throw Error(Join(path, ": its symbol " TRIT_LIBRARY_SYMBOL " is no function"));
  }
  LibraryMemory memory;
  memory.data = [&segments](const void* p, uint64_t bytes) { return segments.Data(p, bytes); };
  memory.code = [&segments](const void* p) { return segments.Code(p); };
  out->Take(CheckTables(reinterpret_cast<trit_library_fn>(symbol)(), path, memory));
  return out;
}

// The dynamic linker and the library's constructors trust what the file says beyond what can be
// checked here: a damaged file can still crash them. A child process tries it first, about 1 ms.
void KernelLibrary::TryInChild(const std::string& path, const std::string& absolute) {
  constexpr unsigned kSeconds = 20;
  constexpr int kSurvived = 42;  // the dynamic linker ends a process itself with other numbers
  const pid_t child = fork();
  if (child < 0) throw Error(Join(path, ": no process to try it in: ", std::strerror(errno)));
  if (child == 0) {
    for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM, SIGTRAP}) {
      std::signal(signal, SIG_DFL);
    }
    alarm(kSeconds);
    // The dynamic linker's own complaints would come without the file's name.
    if (const int null = open("/dev/null", O_WRONLY | O_CLOEXEC); null >= 0) dup2(null, 2);
    try {
      Load(path, absolute);
    } catch (...) {
      // The parent meets the same refusal and reports it.
    }
    _exit(kSurvived);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    // A program that ignores SIGCHLD gets no status: then there is nothing to say against the file.
    if (errno != EINTR) return;
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == kSurvived) return;
  if (WIFEXITED(status)) {
    throw Error(
        Join(path, ": is damaged: loading it ends the process with status ", WEXITSTATUS(status)));
  }
  const int signal = WTERMSIG(status);
  throw Error(signal == SIGALRM ? Join(path, ": loading it takes more than ", kSeconds, " seconds")
                                : Join(path, ": is damaged: loading it ends with signal ", signal,
                                       " (", strsignal(signal), ")"));
}

std::shared_ptr<const KernelLibrary> KernelLibrary::FromFile(const std::string& path) {
  // An absolute path: dlopen searches system folders for names without a slash.
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) throw Error(Join(path, ": ", error.message()));
  CheckSharedObject(absolute);
  TryInChild(path, absolute);
  return Load(path, absolute);
}

std::string_view StatusText(int32_t status) {
  switch (status) {
    case TRIT_OK:
      return "ok";
    case TRIT_BAD_SHAPE:
      return "bad shape: a size is zero, negative, no multiple, or overflows";
    case TRIT_BAD_POINTER:
      return "bad pointer: null or not aligned";
    case TRIT_BAD_TRIT:
      return "a weight outside {-1, 0, +1}";
    case TRIT_BAD_STRUCT:
      return "a struct is smaller than the library needs";
    default:
      return "a status that the ABI does not have";
  }
}

}  // namespace trit
