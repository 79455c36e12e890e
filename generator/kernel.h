// From a candidate to code: the three pieces of a kernel (its layout's packer, its activation
// form's preparation, its matmul), each one object with its own symbols, and the pieces put
// together as the ABI's structs in this process.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "generator/backend/stage.h"
#include "generator/family.h"
#include "runtime/abi/trit_kernel.h"

namespace trit {

// An object file and what it defines. Symbols are hidden and derived from a hash of everything the
// code depends on, so that equal pieces of two kernels or libraries are equal objects.
struct ObjectPiece {
  std::string name;  // "layout_<hash>", also the object's file name in a library
  std::string bytes;
};

// packed_bytes, pack and unpack as <name>_packed_bytes ... On the architecture's baseline.
ObjectPiece CompileLayout(const LayoutSpec& layout, std::string_view arch);
// prepared_bytes, parts and prepare. With the target's instructions.
ObjectPiece CompileForm(const ActFormSpec& form, const Target& target);
// run.
ObjectPiece CompileMatmul(const Candidate& candidate, const Target& target, KernelParts* parts);

// The object of a stage that is compiled already (CompileMatmul is this behind the cache).
std::string CompileMatmulWith(const Candidate& candidate, const Target& target,
                              const KernelParts& parts, const StageCode& stage);

std::string LayoutName(const LayoutSpec& layout, std::string_view arch);
std::string FormName(const ActFormSpec& form, const Target& target);

// The assembly text of a candidate's matmul.
std::string MatmulAssembly(const Candidate& candidate);

// LLVM's -mattr for a target plus a candidate's own toggles.
std::string LlvmFeatures(const Target& target, const std::vector<std::string>& extra);
// The names of targets/ a CPU must have: the target's and those a candidate's toggles add.
std::vector<std::string> NeededFeatures(const Target& target,
                                        const std::vector<std::string>& extra);

// A kernel one can call, as the ABI's structs; they live as long as this does.
class JitKernel {
 public:
  explicit JitKernel(const Candidate& candidate);
  ~JitKernel();
  JitKernel(const JitKernel&) = delete;
  JitKernel& operator=(const JitKernel&) = delete;

  const trit_kernel& kernel() const;
  const Candidate& candidate() const;
  const std::vector<std::string>& features() const;  // what the CPU must have to run it

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Milliseconds the last JitKernel or CompileMatmul of this thread spent where.
struct CompileTimes {
  double build = 0, halide = 0, lower = 0 /* of halide */, link = 0, optimise = 0, emit = 0,
         load = 0;
  double wait = 0;  // for the packer and the activation form, made meanwhile
  bool cached = false;
  double Total() const { return build + halide + link + optimise + emit + wait + load; }
};
CompileTimes LastCompileTimes();

// "tritforge <hash> halide 14.0.0 llvm 19.1.7": all that decides what code a candidate becomes.
const std::string& GeneratorBuildId();

}  // namespace trit
