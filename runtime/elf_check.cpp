#include "runtime/elf_check.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "targets/base/error.h"
#include "targets/target.h"

namespace trit {
namespace {

struct File {
  explicit File(const std::string& path)
      : name(path), fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (fd < 0) throw Error(Join(path, ": cannot open: ", std::strerror(errno)));
    struct stat info {};
    if (fstat(fd, &info) != 0) Fail(std::strerror(errno));
    if (!S_ISREG(info.st_mode)) Fail("is no regular file");
    bytes = static_cast<uint64_t>(info.st_size);
  }
  ~File() {
    if (fd >= 0) close(fd);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[noreturn]] void Fail(const std::string& fault) const { throw Error(Join(name, ": ", fault)); }

  bool Holds(uint64_t offset, uint64_t size) const {
    return offset <= bytes && size <= bytes - offset;
  }

  void Read(uint64_t offset, void* to, uint64_t size, const char* what) const {
    if (!Holds(offset, size)) {
      Fail(Join("is truncated: ", what, " ends at byte ", offset + size, " and the file has ",
                bytes));
    }
    for (uint64_t done = 0; done < size;) {
      const ssize_t got =
          pread(fd, static_cast<char*>(to) + done, size - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) Fail(Join("cannot be read: ", got < 0 ? std::strerror(errno) : "it shrank"));
      done += static_cast<uint64_t>(got);
    }
  }

  std::string name;
  int fd;
  uint64_t bytes = 0;
};

std::string MachineName(unsigned machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "aarch64";
    case EM_386:
      return "i386";
    case EM_ARM:
      return "arm";
    case EM_RISCV:
      return "riscv";
    default:
      return Join("ELF machine ", machine);
  }
}

// Virtual addresses that the file's segments provide.
bool InSegments(const std::vector<Elf64_Phdr>& segments, uint64_t address, uint64_t size) {
  for (const Elf64_Phdr& s : segments) {
    if (s.p_type == PT_LOAD && address >= s.p_vaddr && size <= s.p_memsz &&
        address - s.p_vaddr <= s.p_memsz - size) {
      return true;
    }
  }
  return false;
}

// The tables that the dynamic linker walks must lie in the segments it maps.
void CheckDynamicSection(const File& file, const std::vector<Elf64_Phdr>& segments,
                         const Elf64_Phdr& dynamic) {
  if (dynamic.p_filesz % sizeof(Elf64_Dyn) != 0 || dynamic.p_filesz > 1u << 20) {
    file.Fail("its dynamic section has an impossible size");
  }
  std::vector<Elf64_Dyn> entries(dynamic.p_filesz / sizeof(Elf64_Dyn));
  file.Read(dynamic.p_offset, entries.data(), dynamic.p_filesz, "the dynamic section");
  if (!InSegments(segments, dynamic.p_vaddr, dynamic.p_filesz)) {
    file.Fail("its dynamic section is outside its segments");
  }
  uint64_t rela = 0, rela_bytes = 0, jmprel = 0, jmprel_bytes = 0, strings = 0, string_bytes = 0;
  uint64_t init_array = 0, init_bytes = 0, fini_array = 0, fini_bytes = 0;
  bool ended = false, symbols = false, hash = false;
  for (const Elf64_Dyn& e : entries) {
    if (e.d_tag == DT_NULL) {
      ended = true;
      break;
    }
    switch (e.d_tag) {
      case DT_STRTAB:
        strings = e.d_un.d_ptr;
        break;
      case DT_STRSZ:
        string_bytes = e.d_un.d_val;
        break;
      case DT_SYMTAB:
        symbols = true;
        if (!InSegments(segments, e.d_un.d_ptr, sizeof(Elf64_Sym))) {
          file.Fail("its symbol table is outside its segments");
        }
        break;
      case DT_HASH:
      case DT_GNU_HASH:
        hash = true;
        if (!InSegments(segments, e.d_un.d_ptr, 16)) {
          file.Fail("its symbol hash table is outside its segments");
        }
        break;
      case DT_RELA:
        rela = e.d_un.d_ptr;
        break;
      case DT_RELASZ:
        rela_bytes = e.d_un.d_val;
        break;
      case DT_JMPREL:
        jmprel = e.d_un.d_ptr;
        break;
      case DT_PLTRELSZ:
        jmprel_bytes = e.d_un.d_val;
        break;
      case DT_INIT_ARRAY:
        init_array = e.d_un.d_ptr;
        break;
      case DT_INIT_ARRAYSZ:
        init_bytes = e.d_un.d_val;
        break;
      case DT_FINI_ARRAY:
        fini_array = e.d_un.d_ptr;
        break;
      case DT_FINI_ARRAYSZ:
        fini_bytes = e.d_un.d_val;
        break;
      case DT_INIT:
      case DT_FINI:
        if (!InSegments(segments, e.d_un.d_ptr, 1)) {
          file.Fail("its constructor is outside its segments");
        }
        break;
      default:
        break;
    }
  }
  if (!ended) file.Fail("its dynamic section has no end");
  if (!symbols || !hash) file.Fail("it exports no symbols");
  const struct {
    const char* what;
    uint64_t address, bytes;
  } tables[] = {{"string table", strings, string_bytes},
                {"relocations", rela, rela_bytes},
                {"PLT relocations", jmprel, jmprel_bytes},
                {"constructor array", init_array, init_bytes},
                {"destructor array", fini_array, fini_bytes}};
  for (const auto& t : tables) {
    if (t.bytes != 0 && !InSegments(segments, t.address, t.bytes)) {
      file.Fail(Join("its ", t.what, ": ", t.bytes, " bytes outside its segments"));
    }
  }
  if (string_bytes == 0) file.Fail("it has no string table");
}

}  // namespace

void CheckSharedObject(const std::string& path) {
  const File file(path);
  Elf64_Ehdr header{};
  if (!file.Holds(0, sizeof(header))) {
    file.Fail(Join("is truncated: an ELF header is ", sizeof(header),
                   " bytes long and the file has ", file.bytes));
  }
  file.Read(0, &header, sizeof(header), "the ELF header");
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    file.Fail("is no ELF file (a kernel library is a shared object)");
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    file.Fail("is no 64-bit little-endian ELF file");
  }
  const std::string machine = MachineName(header.e_machine);
  if (machine != HostArch()) {
    file.Fail(Join("is made for ", machine, "; this program runs on ", HostArch()));
  }
  if (header.e_type != ET_DYN) file.Fail("is no shared object (its ELF type is not DYN)");
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum == 0 || header.e_phnum > 256) {
    file.Fail("its program header table has an impossible size");
  }
  std::vector<Elf64_Phdr> segments(header.e_phnum);
  file.Read(header.e_phoff, segments.data(), segments.size() * sizeof(Elf64_Phdr),
            "the program header table");
  // Section headers are at a file's end as a rule: missing ones show a cut that loses no segment.
  if (header.e_shoff != 0 &&
      !file.Holds(header.e_shoff, uint64_t{header.e_shnum} * header.e_shentsize)) {
    file.Fail(Join("is truncated: its section headers begin at byte ", header.e_shoff,
                   " and the file has ", file.bytes));
  }
  bool loads = false;
  const Elf64_Phdr* dynamic = nullptr;
  for (const Elf64_Phdr& s : segments) {
    if (s.p_type == PT_DYNAMIC) dynamic = &s;
    if (s.p_type == PT_INTERP) file.Fail("is a program and no shared object");
    if (s.p_type != PT_LOAD) continue;
    loads = true;
    if (!file.Holds(s.p_offset, s.p_filesz)) {
      file.Fail(Join("is truncated: a segment of ", s.p_filesz, " bytes begins at byte ",
                     s.p_offset, " and the file has ", file.bytes));
    }
    if (s.p_filesz > s.p_memsz || s.p_vaddr > (uint64_t{1} << 40) ||
        s.p_memsz > (uint64_t{1} << 32)) {
      file.Fail("has a segment of an impossible size");
    }
  }
  if (!loads) file.Fail("has nothing to load");
  if (dynamic == nullptr) file.Fail("has no dynamic section");
  CheckDynamicSection(file, segments, *dynamic);
}

}  // namespace trit
