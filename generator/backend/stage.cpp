#include "generator/backend/stage.h"

#include <sys/mman.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "generator/embed/embedded.h"
#include "generator/select/select.h"
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

// y's strides are facts of the layout, except the distance between tokens.
void ConstrainOutput(KernelParts* parts) {
  Halide::OutputImageParam y = parts->y.output_buffer();
  const int rank = static_cast<int>(parts->y_inner.size());
  int rows = 1;
  for (int i = 0; i < rank; ++i) {
    y.dim(i).set_bounds(0, parts->y_inner[static_cast<size_t>(i)].extent);
    y.dim(i).set_stride(parts->y_inner[static_cast<size_t>(i)].stride);
    rows *= parts->y_inner[static_cast<size_t>(i)].extent;
  }
  if (rows != parts->layout.granule) {
    throw Error(Join("y's inner dimensions hold ", rows, " rows, a granule of ", parts->layout.id,
                     " ", parts->layout.granule));
  }
  if (y.dimensions() != rank + 3) {
    throw Error(Join("y has ", y.dimensions(), " dimensions, not ", rank + 3));
  }
  y.dim(rank).set_min(0).set_stride(parts->layout.granule);
  y.dim(rank + 1).set_bounds(0, parts->form.granule);
  y.dim(rank + 2).set_min(0).set_stride(y.dim(rank + 1).stride() * parts->form.granule);
  y.set_host_alignment(parts->layout.granule % 16 == 0 ? 64 : 4);
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
  if (parts.y_inner.empty() || parts.y_inner.size() > TRIT_MAX_INNER) {
    throw Error(Join("y has ", parts.y_inner.size(), " inner dimensions"));
  }
  if (parts.m_min < 1 || parts.m_max < parts.m_min || parts.k_max < parts.layout.k_step) {
    throw Error(Join("the kernel's limits are empty: m ", parts.m_min, "..", parts.m_max,
                     ", k up to ", parts.k_max));
  }
}

Halide::Target HalideTarget(const Target& target) {
  return Halide::Target(HalideTargetText(target));
}

std::vector<Halide::Argument> Arguments(const KernelParts& parts) {
  return {parts.buffers.w, parts.buffers.w_fixed, parts.buffers.act, parts.buffers.act_fixed};
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
      if (parts.body.empty()) ConstrainOutput(&parts);
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
    Halide::Pipeline pipeline(parts->y);
    const auto report = AddSelection(&pipeline, target);
    const Halide::Target halide = HalideTarget(target);
    Halide::Module module = pipeline.compile_to_module(Arguments(*parts), "trit_stage", halide,
                                                       Halide::LinkageType::External);
    const double lowered = Now();
    if (!report->misses.empty()) {
      std::string all;
      for (const std::string& miss : report->misses) all += (all.empty() ? "" : "; ") + miss;
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
    StageCode code{file.Contents(), report->hits, lowered - start};
    if (code.bitcode.empty()) throw Error("Halide wrote no bitcode");
    return code;
  });
}

std::string LoweredText(const Candidate& candidate) {
  const Target& target = FindTarget(candidate.target);
  KernelParts parts = BuildParts(candidate, target);
  return Guarded(candidate, [&] {
    if (!parts.body.empty()) throw Error(Join("its stage is C (", parts.body, "), not Halide"));
    Halide::Pipeline pipeline(parts.y);
    AddSelection(&pipeline, target);
    std::ostringstream text;
    text << pipeline.compile_to_module(Arguments(parts), "trit_stage", HalideTarget(target),
                                       Halide::LinkageType::External);
    return text.str();
  });
}

}  // namespace trit
