#include "generator/backend/stage.h"

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "generator/backend/lower.h"
#include "generator/embed/embedded.h"
#include "targets/base/error.h"

// Halide hands code to us through an O3 run of its own LLVM 14, a fifth of a candidate's time, and
// LLVM 19 does all of it again. The shared library calls the function by name, so that this one
// stands in for it; were it not to, code would be the same and come later.
namespace Halide::Internal {
void CodeGen_LLVM::optimize_module() {}
}  // namespace Halide::Internal

namespace trit {
namespace {

// Allocations a stage has at once, each with a header of 64 bytes (entry/matmul.c).
constexpr int kScratchBlocks = 16;

// A file that lives in memory: Halide writes bitcode to a path.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("stage", MFD_CLOEXEC)) {
    if (fd_ < 0) throw Error("memfd_create failed: cannot hold a kernel's bitcode in memory");
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string Path() const { return Join("/proc/self/fd/", fd_); }
  std::string Contents() const {
    std::string out;
    char buffer[1 << 16];
    ssize_t got;
    off_t at = 0;
    while ((got = pread(fd_, buffer, sizeof(buffer), at)) > 0) {
      out.append(buffer, static_cast<size_t>(got));
      at += got;
    }
    return out;
  }

 private:
  int fd_;
};

double Now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

template <typename Fn>
auto Guarded(const Candidate& candidate, const Fn& fn) -> decltype(fn()) {
  try {
    return fn();
  } catch (const Error&) {
    throw;
  } catch (const Halide::Error& e) {
    throw Error(Join("Halide refuses the candidate \"", candidate.Text(), "\": ", e.what()));
  } catch (const std::exception& e) {
    throw Error(Join("the candidate \"", candidate.Text(), "\" failed: ", e.what()));
  }
}

void CheckParts(const KernelParts& parts) {
  parts.layout.Check();
  parts.form.Check();
  if (parts.layout.k_step % parts.form.k_step) {
    throw Error(Join("the layout ", parts.layout.id, " steps K by ", parts.layout.k_step,
                     ", no multiple of the ", parts.form.k_step, " of ", parts.form.id));
  }
  if (parts.m_granule < 1 || parts.m_granule % parts.form.granule) {
    throw Error(Join("m_granule is ", parts.m_granule, ", no multiple of the ", parts.form.granule,
                     " tokens of ", parts.form.id));
  }
  if (parts.m_block < 0 || parts.m_block % parts.m_granule || parts.scratch_bytes < 0) {
    throw Error(Join("m_block is ", parts.m_block, " and scratch_bytes ", parts.scratch_bytes,
                     " with an m_granule of ", parts.m_granule));
  }
  const int rank = static_cast<int>(parts.y_inner.size());
  if (rank < 1 || rank > TRIT_MAX_INNER) throw Error(Join("y has ", rank, " inner dimensions"));
  int rows = 1;
  for (const RowDim& row : parts.y_inner) rows *= row.extent;
  if (rows != parts.layout.granule) {
    throw Error(Join("y's inner dimensions hold ", rows, " rows, a granule of ", parts.layout.id,
                     " ", parts.layout.granule));
  }
  if (parts.body.empty() && parts.y.dimensions() != rank + 3) {
    throw Error(Join("y has ", parts.y.dimensions(), " dimensions, not ", rank + 3));
  }
  if (parts.m_min < 1 || parts.m_max < parts.m_min || parts.k_max < parts.layout.k_step) {
    throw Error(Join("the kernel's limits are empty: m ", parts.m_min, "..", parts.m_max,
                     ", k up to ", parts.k_max));
  }
}

Halide::Target HalideTarget(const Target& target) {
  return Halide::Target(HalideTargetText(target));
}

}  // namespace

std::string HalideTargetText(const Target& target) {
  const std::string_view arch = target.arch;
  std::string os;
  if (arch == "x86-64") {
    os = "x86-64-linux";
  } else if (arch == "aarch64") {
    os = "arm-64-linux";
  } else {
    throw Error(Join("Halide has no name for the architecture ", arch, " of ", target.key));
  }
  return Join(os, target.halide_features,
              "-no_runtime-no_asserts-no_bounds_query-user_context-disable_llvm_loop_opt");
}

KernelParts BuildParts(const Candidate& candidate, const Target& target) {
  return Guarded(candidate, [&] {
    try {
      KernelParts parts = FindFamily(candidate.family).build(candidate, target);
      CheckParts(parts);
      if (parts.scratch_bytes > 0) parts.scratch_bytes += kScratchBlocks * 64;
      return parts;
    } catch (const Error& e) {
      throw Error(Join("the candidate \"", candidate.Text(), "\": ", e.what()));
    }
  });
}

StageCode CompileStage(const Candidate& candidate, const Target& target, KernelParts* parts) {
  return Guarded(candidate, [&] {
    if (!parts->body.empty()) {
      const auto body = Embedded(Join("bodies/", parts->body, ".", target.key, ".bc"));
      return StageCode{std::string(body)};
    }
    const double start = Now();
    const Halide::Target halide = HalideTarget(target);
    SelectionReport report;
    Halide::Module module("trit_stage", halide);
    LowerStage(*parts, target, &module, &report);
    const double lowered = Now();
    if (!report.misses.empty()) {
      std::string all;
      for (const std::string& miss : report.misses) all += (all.empty() ? "" : "; ") + miss;
      throw Error(Join("the candidate \"", candidate.Text(), "\" has lookups that ", target.key,
                       " has no micro-op for: ", all));
    }
    const std::string micro_ops = Join("micro_ops/", target.key, ".bc");
    if (HasEmbedded(micro_ops)) {
      const std::string_view bytes = Embedded(micro_ops);
      module.append(Halide::ExternalCode::bitcode_wrapper(
          halide, std::vector<uint8_t>(bytes.begin(), bytes.end()), "micro_ops"));
    }
    MemoryFile file;
    module.compile({{Halide::OutputFileType::bitcode, file.Path()}});
    StageCode code{file.Contents(), report.hits, lowered - start};
    if (code.bitcode.empty()) throw Error("Halide wrote no bitcode");
    return code;
  });
}

std::string LoweredText(const Candidate& candidate) {
  const Target& target = FindTarget(candidate.target);
  KernelParts parts = BuildParts(candidate, target);
  return Guarded(candidate, [&] {
    if (!parts.body.empty()) throw Error(Join("its stage is C (", parts.body, "), not Halide"));
    SelectionReport report;
    std::ostringstream text;
    Halide::Module module("trit_stage", HalideTarget(target));
    LowerStage(parts, target, &module, &report);
    text << module;
    return text.str();
  });
}

}  // namespace trit
