// One kernel library whose every claim was checked, and what it needs of the CPU.
//
// A library comes from a static table (linked into the program) or from a file (dlopen). Opening
// checks, before anything is trusted:
//   files    the ELF header and every segment against the file's size, class, byte order and
//            architecture (a truncated file would be SIGBUS later), the symbol; every pointer of
//            the tables lies inside the library's own segments, every function in executable memory
//   tables   ABI version, struct sizes, counts, null pointers, ids, alignments, granules, ranges
//   traits   architecture and target are known; features are known names and hold at least what
//            the target needs; whether this CPU has them (Runnable)
//   choices  no hole: for every layout in use each m from 1 to 2^31-1 ends in an "any" row
// A file is loaded in a child process first, so that a damaged one cannot take the program down.
// A fault is a trit::Error naming the library and the fault.
//
// A kernel library is code: opening a file runs its constructors, as with any shared object. Open
// only what you would run.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/abi/trit_kernel.h"
#include "targets/target.h"

namespace trit {

struct CheckedTables;  // runtime/library_check.h

class KernelLibrary {
 public:
  // `name` is how errors and explanations call it, e.g. "built-in avx2".
  static std::shared_ptr<const KernelLibrary> FromTable(trit_library_fn entry, std::string name);
  static std::shared_ptr<const KernelLibrary> FromFile(const std::string& path);
  ~KernelLibrary();

  const std::string& name() const { return name_; }
  const Target& target() const { return *target_; }
  const std::string& build_id() const { return build_id_; }

  // Copies of the library's tables in this program's own struct sizes; pointers inside still point
  // into the library.
  std::span<const trit_kernel* const> kernels() const { return kernels_; }
  std::span<const trit_choice> choices() const { return choices_; }
  std::span<const std::string> features() const { return features_; }

  // Features this CPU lacks; empty = the kernels can run here.
  std::span<const std::string> missing_features() const { return missing_; }
  bool runnable() const { return missing_.empty(); }

 private:
  KernelLibrary() = default;
  static std::shared_ptr<const KernelLibrary> Load(const std::string& path,
                                                   const std::string& absolute);
  static void TryInChild(const std::string& path, const std::string& absolute);
  void Take(CheckedTables tables);

  std::string name_, build_id_;
  const Target* target_ = nullptr;
  void* handle_ = nullptr;  // of dlopen
  std::vector<const trit_kernel*> kernels_;
  std::vector<trit_choice> choices_;
  std::vector<std::string> features_, missing_;
};

// What a status of the ABI means, for messages.
std::string_view StatusText(int32_t status);

}  // namespace trit
