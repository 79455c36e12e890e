#include "generator/backend/llvm_code.h"

#include <llvm/AsmParser/Parser.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Linker/Linker.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Object/ArchiveWriter.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>
#include <llvm/Transforms/IPO/Internalize.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/ADCE.h>
#include <llvm/Transforms/Scalar/DeadStoreElimination.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/IndVarSimplify.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopDeletion.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/LoopRotation.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

#include <chrono>
#include <map>
#include <memory>
#include <set>

#include "generator/backend/tie.h"
#include "targets/base/error.h"

namespace trit {
namespace {

thread_local CodeTimes last_times;

double Now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

void InitialiseOnce() {
  static const bool done = [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
    return true;
  }();
  (void)done;
}

const char* TripleOf(const std::string& arch) {
  if (arch == "x86-64") return "x86_64-unknown-linux-gnu";
  if (arch == "aarch64") return "aarch64-unknown-linux-gnu";
  throw Error(Join("LLVM has no triple for the architecture ", arch));
}

const char* BaselineCpu(const std::string& arch) {
  return arch == "x86-64" ? "x86-64" : "generic";
}

// One a thread and architecture: making one costs 2 ms, and they are not shared between threads.
// CPU and features are attributes of functions.
llvm::TargetMachine& Machine(const std::string& arch) {
  thread_local std::map<std::string, std::unique_ptr<llvm::TargetMachine>> machines;
  auto& machine = machines[arch];
  if (!machine) {
    InitialiseOnce();
    std::string error;
    const llvm::Target* target = llvm::TargetRegistry::lookupTarget(TripleOf(arch), error);
    if (!target) throw Error(Join("LLVM ", LlvmVersion(), " cannot emit ", arch, ": ", error));
    llvm::TargetOptions options;
    options.MCOptions.AsmVerbose = true;  // marks spills in assembly text
    machine.reset(target->createTargetMachine(TripleOf(arch), BaselineCpu(arch), "", options,
                                              llvm::Reloc::PIC_, std::nullopt,
                                              llvm::CodeGenOptLevel::Aggressive));
    if (!machine) throw Error(Join("LLVM made no target machine for ", arch));
  }
  return *machine;
}

std::string Taken(llvm::Error error) {
  return llvm::toString(std::move(error));
}

// LLVM reports what it refuses through the context; collected, never printed.
struct Diagnostics final : llvm::DiagnosticHandler {
  explicit Diagnostics(std::string* out) : out(out) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    if (info.getSeverity() == llvm::DS_Error) {
      llvm::raw_string_ostream stream(*out);
      llvm::DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
    }
    return true;
  }
  std::string* out;
};

void SetConstant(llvm::Module& module, const std::string& name, const std::string& bytes,
                 const std::string& what) {
  llvm::GlobalVariable* old = module.getNamedGlobal(name);
  if (!old || !old->isDeclaration()) {
    throw Error(Join("the code of ", what, " declares no constant ", name));
  }
  llvm::Constant* data = llvm::ConstantDataArray::getString(module.getContext(), bytes, false);
  auto* value = new llvm::GlobalVariable(module, data->getType(), /*isConstant=*/true,
                                         llvm::GlobalValue::InternalLinkage, data, name + ".value");
  value->setAlignment(llvm::Align(8));
  old->replaceAllUsesWith(value);
  old->eraseFromParent();
}

std::unique_ptr<llvm::Module> Link(const CodeRequest& request, llvm::LLVMContext& context,
                                   llvm::TargetMachine& machine) {
  std::unique_ptr<llvm::Module> all;
  for (std::string_view bytes : request.modules) {
    auto parsed = llvm::parseBitcodeFile(
        llvm::MemoryBufferRef(llvm::StringRef(bytes.data(), bytes.size()), "kernel"), context);
    if (!parsed) {
      throw Error(
          Join("LLVM cannot read the bitcode of ", request.what, ": ", Taken(parsed.takeError())));
    }
    std::unique_ptr<llvm::Module> module = std::move(*parsed);
    module->setTargetTriple(TripleOf(request.arch));
    module->setDataLayout(machine.createDataLayout());
    module->setModuleInlineAsm("");
    if (llvm::NamedMDNode* ident = module->getNamedMetadata("llvm.ident")) ident->eraseFromParent();
    if (llvm::NamedMDNode* flags = module->getModuleFlagsMetadata()) flags->eraseFromParent();
    if (!all) {
      all = std::move(module);
    } else if (llvm::Linker::linkModules(*all, std::move(module))) {
      throw Error(Join("LLVM cannot link the parts of ", request.what));
    }
  }
  all->setPICLevel(llvm::PICLevel::BigPIC);
  all->setModuleIdentifier("kernel");
  all->setSourceFileName("kernel");
  return all;
}

void Retarget(const CodeRequest& request, llvm::Module& module) {
  for (llvm::Function& f : module) {
    for (const char* attribute : {"target-cpu", "target-features", "tune-cpu", "probe-stack",
                                  "stack-protector-buffer-size"}) {
      f.removeFnAttr(attribute);
    }
    if (f.isDeclaration()) continue;
    f.addFnAttr("target-cpu", BaselineCpu(request.arch));
    if (!request.features.empty()) f.addFnAttr("target-features", request.features);
    if (!request.tune_cpu.empty()) f.addFnAttr("tune-cpu", request.tune_cpu);
    f.addFnAttr(llvm::Attribute::NoUnwind);
    f.removeFnAttr(llvm::Attribute::UWTable);
  }
  std::set<std::string> kept;
  for (const auto& [function, symbol] : request.exports) {
    llvm::Function* f = module.getFunction(function);
    if (!f || f->isDeclaration()) {
      throw Error(Join("the code of ", request.what, " does not define ", function));
    }
    f->setName(symbol);
    f->setLinkage(llvm::GlobalValue::ExternalLinkage);
    f->setVisibility(llvm::GlobalValue::HiddenVisibility);
    kept.insert(f->getName().str());
  }
  // Two pieces of code: what an entry knows of the numbers it hands to a stage helps no loop, and
  // the analysis of nested loops takes five times as long for it.
  for (llvm::Function& f : module) {
    if (f.isDeclaration() || kept.count(f.getName().str())) continue;
    if (f.getName() == "trit_stage") {
      f.addFnAttr(llvm::Attribute::NoInline);
      continue;
    }
    f.removeFnAttr(llvm::Attribute::NoInline);
    f.addFnAttr(llvm::Attribute::AlwaysInline);
  }
  llvm::internalizeModule(
      module, [&](const llvm::GlobalValue& v) { return kept.count(v.getName().str()) > 0; });
}

// Halide asks for every line "once" (prefetchnta), which on Zen 4 keeps a line out of the second
// cache when other tokens come back for it.
void SetPrefetchHint(const CodeRequest& request, llvm::Module& module) {
  for (llvm::Function& f : module) {
    for (llvm::Instruction& i : llvm::instructions(f)) {
      auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&i);
      if (!call || call->getIntrinsicID() != llvm::Intrinsic::prefetch) continue;
      llvm::Type* type = call->getArgOperand(2)->getType();
      const auto locality = static_cast<uint64_t>(request.prefetch_locality);
      call->setArgOperand(2, llvm::ConstantInt::get(type, locality));
    }
  }
}

// What a stage needs of O3, in two thirds of its time: Halide has vectorised and unrolled. Helpers
// that Halide links in and no stage uses go before anything looks at them. O1 is no substitute: it
// spills 19 registers in a loop where this spills 11.
void AddStagePasses(llvm::ModulePassManager* passes) {
  const auto combine = [] {
    return llvm::InstCombinePass(llvm::InstCombineOptions().setVerifyFixpoint(false));
  };
  llvm::LoopPassManager rotate;
  rotate.addPass(llvm::LoopRotatePass());
  rotate.addPass(llvm::IndVarSimplifyPass());
  rotate.addPass(llvm::LoopDeletionPass());
  llvm::LoopPassManager hoist;
  hoist.addPass(llvm::LICMPass(llvm::LICMOptions()));
  llvm::FunctionPassManager stage;
  stage.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  stage.addPass(llvm::EarlyCSEPass());
  stage.addPass(llvm::SimplifyCFGPass());
  stage.addPass(combine());
  stage.addPass(llvm::createFunctionToLoopPassAdaptor(std::move(rotate)));
  stage.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  stage.addPass(llvm::GVNPass());
  stage.addPass(llvm::createFunctionToLoopPassAdaptor(std::move(hoist), /*UseMemorySSA=*/true));
  stage.addPass(llvm::DSEPass());
  stage.addPass(llvm::SimplifyCFGPass());
  stage.addPass(combine());
  stage.addPass(llvm::ADCEPass());
  passes->addPass(llvm::GlobalDCEPass());
  // Twice: Halide frees through a helper that is handed halide_free.
  passes->addPass(llvm::AlwaysInlinerPass());
  passes->addPass(llvm::AlwaysInlinerPass());
  passes->addPass(llvm::GlobalDCEPass());
  passes->addPass(llvm::createModuleToFunctionPassAdaptor(std::move(stage)));
}

void Optimise(const CodeRequest& request, llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager calls;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  // Unrolled, activation forms run no faster, packers by a tenth (0.2 s of a first start with 2B
  // weights), and both take twice as long to compile (lut3's form 1 s, where the median candidate
  // takes 90 ms whole).
  tuning.LoopUnrolling = false;
  tuning.LoopVectorization = request.vectorize;
  tuning.LoopInterleaving = request.vectorize;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(calls);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, calls, modules);
  llvm::ModulePassManager passes;
  if (!request.lowered) {
    passes = builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3);
  } else {
    AddStagePasses(&passes);
  }
  passes.run(module, modules);
}

void CheckExternals(const CodeRequest& request, const llvm::Module& module) {
  for (const llvm::Function& f : module) {
    if (!f.isDeclaration() || f.isIntrinsic() || f.use_empty()) continue;
    const llvm::StringRef name = f.getName();
    if (name == "memcpy" || name == "memmove" || name == "memset") continue;
    throw Error(Join("the kernel of ", request.what, " would call ", name.str(),
                     ", which no kernel may call"));
  }
  for (const llvm::GlobalVariable& v : module.globals()) {
    if (v.isDeclaration() && !v.use_empty()) {
      throw Error(
          Join("the kernel of ", request.what, " would use the variable ", v.getName().str()));
    }
  }
}

std::string Emit(llvm::Module& module, llvm::TargetMachine& machine, llvm::CodeGenFileType type,
                 const std::string& what) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type)) {
    throw Error(Join("LLVM cannot emit code for ", what));
  }
  passes.run(module);
  return std::string(bytes.begin(), bytes.end());
}

std::string Generate(const CodeRequest& request, llvm::CodeGenFileType type) {
  llvm::TargetMachine& machine = Machine(request.arch);
  llvm::LLVMContext context;
  context.setDiscardValueNames(true);
  std::string refused;
  context.setDiagnosticHandler(std::make_unique<Diagnostics>(&refused));
  const double start = Now();
  std::unique_ptr<llvm::Module> module = Link(request, context, machine);
  for (const auto& [name, bytes] : request.constants) {
    SetConstant(*module, name, bytes, request.what);
  }
  Retarget(request, *module);
  SetPrefetchHint(request, *module);
  std::string invalid;
  llvm::raw_string_ostream invalid_stream(invalid);
  if (llvm::verifyModule(*module, &invalid_stream)) {
    throw Error(Join("LLVM finds the code of ", request.what, " invalid: ", invalid));
  }
  const double linked = Now();
  Optimise(request, *module, machine);
  if (request.tie_lookups) TieLookups(*module);
  CheckExternals(request, *module);
  const double optimised = Now();
  std::string out = Emit(*module, machine, type, request.what);
  last_times = {linked - start, optimised - linked, Now() - optimised};
  if (!refused.empty()) throw Error(Join("LLVM refuses ", request.what, ": ", refused));
  return out;
}

}  // namespace

std::string EmitObject(const CodeRequest& request) {
  return Generate(request, llvm::CodeGenFileType::ObjectFile);
}

std::string EmitAssembly(const CodeRequest& request) {
  return Generate(request, llvm::CodeGenFileType::AssemblyFile);
}

std::string AssembleTables(const std::string& text, const std::string& arch,
                           const std::string& what) {
  llvm::TargetMachine& machine = Machine(arch);
  llvm::LLVMContext context;
  llvm::SMDiagnostic fault;
  std::unique_ptr<llvm::Module> module = llvm::parseAssemblyString(text, fault, context);
  if (!module) {
    throw Error(Join("the tables of ", what, " are invalid: ", fault.getMessage().str(), " in ",
                     fault.getLineContents().str()));
  }
  module->setTargetTriple(TripleOf(arch));
  module->setDataLayout(machine.createDataLayout());
  module->setModuleIdentifier("tables");
  module->setSourceFileName("tables");
  module->setPICLevel(llvm::PICLevel::BigPIC);
  std::string invalid;
  llvm::raw_string_ostream stream(invalid);
  if (llvm::verifyModule(*module, &stream)) {
    throw Error(Join("the tables of ", what, " are invalid: ", invalid));
  }
  return Emit(*module, machine, llvm::CodeGenFileType::ObjectFile, what);
}

std::string MakeArchive(const std::vector<std::pair<std::string, std::string_view>>& members) {
  InitialiseOnce();
  std::vector<llvm::NewArchiveMember> all;
  for (const auto& [name, bytes] : members) {
    all.emplace_back(llvm::MemoryBufferRef(llvm::StringRef(bytes.data(), bytes.size()), name));
  }
  auto archive = llvm::writeArchiveToBuffer(all, llvm::SymtabWritingMode::NormalSymtab,
                                            llvm::object::Archive::K_GNU, /*Deterministic=*/true,
                                            /*Thin=*/false);
  if (!archive) {
    throw Error(Join("LLVM cannot write a static library: ", Taken(archive.takeError())));
  }
  return (*archive)->getBuffer().str();
}

std::string LlvmVersion() {
  return LLVM_VERSION_STRING;
}

CodeTimes LastCodeTimes() {
  return last_times;
}

}  // namespace trit
