#include "generator/backend/jit.h"

#include <llvm/ExecutionEngine/Orc/ExecutionUtils.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>

#include <atomic>

#include "targets/base/error.h"

namespace trit {
namespace {

llvm::orc::LLJIT& Jit() {
  // Never destroyed: kernels in static objects may outlive any order of destruction.
  static llvm::orc::LLJIT* const jit = [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    auto made = llvm::orc::LLJITBuilder().create();
    if (!made) throw Error(Join("LLVM's JIT does not start: ", llvm::toString(made.takeError())));
    return made->release();
  }();
  return *jit;
}

}  // namespace

struct LoadedObject::Impl {
  llvm::orc::JITDylib* dylib = nullptr;
  std::string what;
};

LoadedObject::LoadedObject(const std::string& object, const std::string& what)
    : impl_(std::make_unique<Impl>()) {
  static std::atomic<uint64_t> count{0};
  impl_->what = what;
  auto& session = Jit().getExecutionSession();
  impl_->dylib = &session.createBareJITDylib(Join("object", count.fetch_add(1)));
  // memcpy and memset come from the process.
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      Jit().getDataLayout().getGlobalPrefix());
  if (!process) {
    throw Error(Join("LLVM's JIT cannot see the process: ", llvm::toString(process.takeError())));
  }
  impl_->dylib->addGenerator(std::move(*process));
  if (auto fault = Jit().addObjectFile(*impl_->dylib,
                                       llvm::MemoryBuffer::getMemBufferCopy(object, "kernel"))) {
    throw Error(Join("LLVM's JIT refuses ", what, ": ", llvm::toString(std::move(fault))));
  }
}

LoadedObject::~LoadedObject() {
  if (impl_->dylib) {
    llvm::consumeError(Jit().getExecutionSession().removeJITDylib(*impl_->dylib));
  }
}

void* LoadedObject::Symbol(const std::string& name) const {
  auto found = Jit().lookup(*impl_->dylib, name);
  if (!found) {
    throw Error(Join("the code of ", impl_->what, " has no ", name, ": ",
                     llvm::toString(found.takeError())));
  }
  return found->toPtr<void*>();
}

}  // namespace trit
