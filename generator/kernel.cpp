#include "generator/kernel.h"

#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <future>
#include <map>
#include <mutex>

#include "generator/backend/cache.h"
#include "generator/backend/jit.h"
#include "generator/backend/llvm_code.h"
#include "generator/backend/stage.h"
#include "generator/build_id.h"
#include "generator/embed/embedded.h"
#include "targets/base/error.h"

namespace trit {
namespace {

thread_local CompileTimes last_times;

double Now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

std::string Hash16(const std::string& text) {
  const XXH64_hash_t hash = XXH3_64bits(text.data(), text.size());
  std::string out(16, '0');
  for (int i = 0; i < 16; ++i) out[15 - i] = "0123456789abcdef"[(hash >> (4 * i)) & 15];
  return out;
}

template <typename T>
std::string BytesOf(const T& value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

std::string_view EmbeddedCode(std::string_view folder, std::string_view code,
                              std::string_view arch) {
  return Embedded(Join(folder, "/", code, ".", arch, ".bc"));
}

// One object through the cache. `text` names everything the code depends on beside the build id.
template <typename Make>
std::string Cached(const std::string& text, const Make& make) {
  const std::string key = Join(GeneratorBuildId(), "\n", text);
  std::string object;
  last_times.cached = ObjectCache::Default().Load(key, &object);
  if (last_times.cached) return object;
  object = make();
  ObjectCache::Default().Store(key, object);
  return object;
}

CodeRequest MatmulRequest(const Candidate& candidate, const Target& target,
                          const KernelParts& parts, const std::string& stage) {
  trit_matmul_desc d = {};
  d.w = parts.layout.Descriptor();
  d.act = parts.form.Descriptor();
  d.y_rank = static_cast<int32_t>(parts.y_inner.size());
  for (size_t i = 0; i < parts.y_inner.size(); ++i) {
    d.y_extent[i] = parts.y_inner[i].extent;
    d.y_stride[i] = parts.y_inner[i].stride;
  }
  d.m_granule = parts.m_granule;
  d.m_block = parts.m_block;
  d.n_block = parts.n_block;
  d.k_max = parts.k_max;
  d.scratch_bytes = parts.scratch_bytes;
  for (size_t i = 0; i < parts.body_option.size() && i < TRIT_MAX_OPTIONS; ++i) {
    d.option[i] = parts.body_option[i];
  }
  CodeRequest request;
  request.what = Join("the candidate \"", candidate.Text(), "\"");
  request.arch = target.arch;
  request.modules = {EmbeddedCode("entry", "matmul", target.arch), stage};
  request.constants = {{"trit_matmul", BytesOf(d)}};
  request.exports = {{"trit_matmul_run", KernelName(candidate) + "_run"}};
  request.features = LlvmFeatures(target, parts.extra_features);
  request.tune_cpu = parts.tune_cpu.empty() ? target.llvm_cpu : parts.tune_cpu;
  request.prefetch_locality = parts.prefetch_locality;
  request.tie_lookups = parts.tie_lookups;
  request.lowered = parts.body.empty();
  return request;
}

// LLVM spells some features otherwise than targets/ does.
std::string LlvmName(std::string_view feature) {
  if (feature == "sse4_1") return "sse4.1";
  if (feature == "sse4_2") return "sse4.2";
  if (feature == "bmi1") return "bmi";
  if (feature == "svei8mm") return std::string(feature.substr(3));  // one name for both registers
  return std::string(feature);
}

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string LlvmFeatures(const Target& target, const std::vector<std::string>& extra) {
  std::string out;
  for (const std::string& name : Words(target.features)) {
    out += (out.empty() ? "+" : ",+") + LlvmName(name);
  }
  if (*target.llvm_features) out += Join(",", target.llvm_features);
  for (const std::string& toggle : extra) out += Join(",", toggle);
  return out;
}

std::vector<std::string> NeededFeatures(const Target& target,
                                        const std::vector<std::string>& extra) {
  std::vector<std::string> out = Words(target.features);
  for (const std::string& toggle : extra) {
    if (!toggle.starts_with("+")) continue;
    for (std::string name : {toggle.substr(1)}) {
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
    }
  }
  return out;
}

std::string LayoutName(const LayoutSpec& layout, std::string_view arch) {
  return "trit_layout_" + Hash16(Join(GeneratorBuildId(), " ", arch, " ", layout.Text()));
}

std::string FormName(const ActFormSpec& form, const Target& target) {
  return "trit_form_" + Hash16(Join(GeneratorBuildId(), " ", target.key, " ", form.Text()));
}

ObjectPiece CompileLayout(const LayoutSpec& layout, std::string_view arch) {
  const std::string name = LayoutName(layout, arch);
  return {name, Cached(Join("layout ", arch, " ", layout.Text()), [&] {
            CodeRequest request;
            request.what = Join("the layout ", layout.id);
            request.arch = arch;
            request.modules = {EmbeddedCode("entry", "blocks", arch),
                               EmbeddedCode("families", layout.code, arch)};
            request.constants = {{"trit_blocks", BytesOf(layout.Descriptor())}};
            for (const char* f : {"packed_bytes", "pack", "unpack"}) {
              request.exports.push_back({Join("trit_layout_", f), Join(name, "_", f)});
            }
            request.vectorize = true;
            return EmitObject(request);
          })};
}

ObjectPiece CompileForm(const ActFormSpec& form, const Target& target) {
  const std::string name = FormName(form, target);
  return {name, Cached(Join("form ", target.key, " ", form.Text()), [&] {
            CodeRequest request;
            request.what = Join("the activation form ", form.id);
            request.arch = target.arch;
            request.modules = {EmbeddedCode("entry", "form", target.arch),
                               EmbeddedCode("forms", form.code, target.arch)};
            request.constants = {{"trit_blocks", BytesOf(form.Descriptor())}};
            for (const char* f : {"prepared_bytes", "parts", "prepare"}) {
              request.exports.push_back({Join("trit_form_", f), Join(name, "_", f)});
            }
            request.features = LlvmFeatures(target, {});
            request.tune_cpu = target.llvm_cpu;
            request.vectorize = true;
            return EmitObject(request);
          })};
}

ObjectPiece CompileMatmul(const Candidate& candidate, const Target& target, KernelParts* parts) {
  const std::string name = KernelName(candidate);
  return {name, Cached(Join("matmul ", candidate.Text()), [&] {
            const double start = Now();
            const StageCode stage = CompileStage(candidate, target, parts);
            last_times.halide = Now() - start;
            last_times.lower = stage.lower_ms;
            std::string object = CompileMatmulWith(candidate, target, *parts, stage);
            const CodeTimes code = LastCodeTimes();
            last_times.link = code.link;
            last_times.optimise = code.optimise;
            last_times.emit = code.emit;
            return object;
          })};
}

std::string CompileMatmulWith(const Candidate& candidate, const Target& target,
                              const KernelParts& parts, const StageCode& stage) {
  return EmitObject(MatmulRequest(candidate, target, parts, stage.bitcode));
}

std::string MatmulAssembly(const Candidate& candidate) {
  const Target& target = FindTarget(candidate.target);
  KernelParts parts = BuildParts(candidate, target);
  const StageCode stage = CompileStage(candidate, target, &parts);
  return EmitAssembly(MatmulRequest(candidate, target, parts, stage.bitcode));
}

namespace {

// Layouts and forms are shared by many candidates: compiled and loaded once in a process.
struct LoadedLayout {
  LoadedLayout(const LayoutSpec& spec, std::string_view arch)
      : id(spec.id), object(CompileLayout(spec, arch).bytes, spec.id) {
    const std::string name = LayoutName(spec, arch);
    abi.struct_bytes = sizeof(abi);
    abi.align = static_cast<uint32_t>(spec.align);
    abi.id = id.c_str();
    abi.n_granule = spec.granule;
    abi.k_multiple = spec.k_step;
    abi.packed_bytes =
        reinterpret_cast<decltype(abi.packed_bytes)>(object.Symbol(name + "_packed_bytes"));
    abi.pack = reinterpret_cast<decltype(abi.pack)>(object.Symbol(name + "_pack"));
    abi.unpack = reinterpret_cast<decltype(abi.unpack)>(object.Symbol(name + "_unpack"));
  }
  std::string id;
  LoadedObject object;
  trit_layout abi = {};
};

struct LoadedForm {
  LoadedForm(const ActFormSpec& spec, const Target& target)
      : id(spec.id), object(CompileForm(spec, target).bytes, spec.id) {
    const std::string name = FormName(spec, target);
    abi.struct_bytes = sizeof(abi);
    abi.align = static_cast<uint32_t>(spec.align);
    abi.id = id.c_str();
    abi.prepared_bytes =
        reinterpret_cast<decltype(abi.prepared_bytes)>(object.Symbol(name + "_prepared_bytes"));
    abi.parts = reinterpret_cast<decltype(abi.parts)>(object.Symbol(name + "_parts"));
    abi.prepare = reinterpret_cast<decltype(abi.prepare)>(object.Symbol(name + "_prepare"));
  }
  std::string id;
  LoadedObject object;
  trit_act_form abi = {};
};

template <typename Loaded, typename Spec, typename Where>
const Loaded& Shared(const std::string& name, const Spec& spec, const Where& where) {
  static std::mutex mutex;
  // Never destroyed: the JIT below may be gone by then.
  static auto& all = *new std::map<std::string, std::unique_ptr<Loaded>>;
  const std::lock_guard lock(mutex);
  auto& loaded = all[name];
  if (!loaded) loaded = std::make_unique<Loaded>(spec, where);
  return *loaded;
}

}  // namespace

struct JitKernel::Impl {
  Candidate candidate;
  std::string name, text;
  std::vector<std::string> features;
  std::unique_ptr<LoadedObject> object;
  trit_kernel kernel = {};
};

JitKernel::JitKernel(const Candidate& given) : impl_(std::make_unique<Impl>()) {
  const double start = Now();
  impl_->candidate = Canonical(given);
  const Candidate& candidate = impl_->candidate;
  const Target& target = FindTarget(candidate.target);
  KernelParts parts = BuildParts(candidate, target);
  const double built = Now();
  // Pieces that other kernels share, where they are new, meanwhile by another thread.
  auto shared =
      std::async(std::launch::async, [layout_spec = parts.layout, form_spec = parts.form, &target] {
        return std::pair<const LoadedLayout&, const LoadedForm&>(
            Shared<LoadedLayout>(LayoutName(layout_spec, target.arch), layout_spec,
                                 std::string_view(target.arch)),
            Shared<LoadedForm>(FormName(form_spec, target), form_spec, target));
      });
  last_times = {};
  const ObjectPiece piece = CompileMatmul(candidate, target, &parts);
  const double made = Now();
  const auto [layout, form] = shared.get();
  const double compiled = Now();
  impl_->name = piece.name;
  impl_->text = candidate.Text();
  impl_->features = NeededFeatures(target, parts.extra_features);
  impl_->object = std::make_unique<LoadedObject>(piece.bytes, impl_->text);
  trit_kernel& k = impl_->kernel;
  k.struct_bytes = sizeof(k);
  k.name = impl_->name.c_str();
  k.family = FindFamily(candidate.family).name;
  k.candidate = impl_->text.c_str();
  k.layout = &layout.abi;
  k.act_form = &form.abi;
  k.m_granule = parts.m_granule;
  k.m_min = parts.m_min;
  k.m_max = parts.m_max;
  k.k_max = parts.k_max;
  k.scratch_bytes = static_cast<uint64_t>(parts.scratch_bytes);
  k.run = reinterpret_cast<trit_matmul_fn>(impl_->object->Symbol(piece.name + "_run"));
  last_times.build = built - start;
  last_times.wait = compiled - made;
  last_times.load = Now() - compiled;
}

JitKernel::~JitKernel() = default;
const trit_kernel& JitKernel::kernel() const {
  return impl_->kernel;
}
const Candidate& JitKernel::candidate() const {
  return impl_->candidate;
}
const std::vector<std::string>& JitKernel::features() const {
  return impl_->features;
}

CompileTimes LastCompileTimes() {
  return last_times;
}

const std::string& GeneratorBuildId() {
  static const std::string id = Join("tritforge ", TRIT_GENERATOR_HASH, " halide ",
                                     TRIT_HALIDE_VERSION, " llvm ", LlvmVersion());
  return id;
}

}  // namespace trit
