#include "generator/library/build.h"

#include <algorithm>
#include <map>
#include <set>

#include "generator/backend/llvm_code.h"
#include "generator/backend/stage.h"
#include "targets/base/error.h"

namespace trit {
namespace {

using Json = nlohmann::ordered_json;

// The tables as LLVM assembly: constant structs of the same fields as trit_kernel.h, whose natural
// alignment is C's on 64-bit machines.
class Tables {
 public:
  std::string String(const std::string& text) {
    auto [at, fresh] = strings_.try_emplace(text, Join("@s", strings_.size()));
    if (fresh) {
      std::string escaped;
      for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= ' ' && byte < 127 && c != '"' && c != '\\') {
          escaped += c;
        } else {
          escaped += '\\';
          escaped += "0123456789ABCDEF"[byte >> 4];
          escaped += "0123456789ABCDEF"[byte & 15];
        }
      }
      text_ += Join(at->second, " = private unnamed_addr constant [", text.size() + 1, " x i8] c\"",
                    escaped, "\\00\"\n");
    }
    return "ptr " + at->second;
  }
  std::string Function(const std::string& name) {
    if (functions_.insert(name).second) text_ += Join("declare hidden void @", name, "()\n");
    return "ptr @" + name;
  }
  void Define(const std::string& name, const std::string& value) {
    text_ += Join("@", name, " = internal constant ", value, "\n");
  }
  void Append(const std::string& line) { text_ += line + "\n"; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::map<std::string, std::string> strings_;
  std::set<std::string> functions_;
};

template <typename... Values>
std::string I32(const Values&... values) {
  std::string out;
  ((out += Join(out.empty() ? "i32 " : ", i32 ", values)), ...);
  return out;
}

std::string Array(const std::string& element, const std::vector<std::string>& values) {
  std::string out = Join("[", values.size(), " x ", element, "] [");
  for (size_t i = 0; i < values.size(); ++i) out += Join(i ? ", " : "", element, " ", values[i]);
  return out + "]";
}

constexpr const char* kLayoutType = "{i32, i32, ptr, i32, i32, ptr, ptr, ptr}";
constexpr const char* kFormType = "{i32, i32, ptr, ptr, ptr, ptr}";
constexpr const char* kKernelType =
    "{i32, i32, ptr, ptr, ptr, ptr, ptr, i32, i32, i32, i32, i64, ptr}";
constexpr const char* kChoiceType = "{i32, i32, i32, i32, i32, i32, i32, i32, i32, i32}";
constexpr const char* kLibraryType = "{i32, i32, i32, i32, i32, i32, ptr, ptr, ptr, ptr, ptr, ptr}";
static_assert(sizeof(trit_layout) == 48 && sizeof(trit_act_form) == 40 &&
              sizeof(trit_kernel) == 80 && sizeof(trit_choice) == 40 && sizeof(trit_library) == 72);

Json LayoutJson(const trit_layout& l) {
  return {
      {"id", l.id}, {"align", l.align}, {"n_granule", l.n_granule}, {"k_multiple", l.k_multiple}};
}

}  // namespace

BuiltLibrary BuildLibrary(const LibraryPlan& plan) {
  const Target& target = *plan.target;
  BuiltLibrary out;
  out.target = &target;
  out.symbol = Join("trit_library_v1_", target.key);
  Tables t;
  std::set<std::string> present;
  const auto add = [&](const std::string& name, auto&& make) {
    if (!present.insert(name).second) return false;
    out.objects.push_back(make());
    return true;
  };
  Json layouts = Json::array(), forms = Json::array(), kernels = Json::array(),
       choices = Json::array();
  std::vector<std::string> kernel_values, choice_values;
  std::vector<std::string> features = NeededFeatures(target, {});
  for (const Candidate& candidate : plan.kernels) {
    KernelParts parts = BuildParts(candidate, target);
    for (const std::string& f : NeededFeatures(target, parts.extra_features)) {
      if (std::find(features.begin(), features.end(), f) == features.end()) features.push_back(f);
    }
    const std::string layout = LayoutName(parts.layout, target.arch);
    if (add(layout, [&] { return CompileLayout(parts.layout, target.arch); })) {
      t.Define(layout,
               Join(kLayoutType, " {", I32(sizeof(trit_layout), parts.layout.align), ", ",
                    t.String(parts.layout.id), ", ", I32(parts.layout.granule, parts.layout.k_step),
                    ", ", t.Function(layout + "_packed_bytes"), ", ", t.Function(layout + "_pack"),
                    ", ", t.Function(layout + "_unpack"), "}"));
      layouts.push_back({{"id", parts.layout.id},
                         {"align", parts.layout.align},
                         {"n_granule", parts.layout.granule},
                         {"k_multiple", parts.layout.k_step}});
    }
    const std::string form = FormName(parts.form, target);
    if (add(form, [&] { return CompileForm(parts.form, target); })) {
      t.Define(form, Join(kFormType, " {", I32(sizeof(trit_act_form), parts.form.align), ", ",
                          t.String(parts.form.id), ", ", t.Function(form + "_prepared_bytes"), ", ",
                          t.Function(form + "_parts"), ", ", t.Function(form + "_prepare"), "}"));
      forms.push_back({{"id", parts.form.id}, {"align", parts.form.align}});
    }
    const std::string name = KernelName(candidate);
    add(name, [&] { return CompileMatmul(candidate, target, &parts); });
    kernel_values.push_back(
        Join("{", I32(sizeof(trit_kernel), 0), ", ", t.String(name), ", ",
             t.String(candidate.family), ", ", t.String(candidate.Text()), ", ptr @", layout,
             ", ptr @", form, ", ", I32(parts.m_granule, parts.m_min, parts.m_max, parts.k_max),
             ", i64 ", parts.scratch_bytes, ", ", t.Function(name + "_run"), "}"));
    kernels.push_back({{"name", name},
                       {"family", candidate.family},
                       {"candidate", candidate.Text()},
                       {"layout", parts.layout.id},
                       {"act_form", parts.form.id},
                       {"m_granule", parts.m_granule},
                       {"m_min", parts.m_min},
                       {"m_max", parts.m_max},
                       {"k_max", parts.k_max},
                       {"scratch_bytes", parts.scratch_bytes}});
  }
  for (const LibraryPlan::Row& r : plan.rows) {
    choice_values.push_back(
        Join("{",
             I32(sizeof(trit_choice), r.row.n, r.row.k, r.row.m_min, r.row.m_max, r.row.threads,
                 r.kernel, r.row.n_per_task, r.row.m_per_task, 0),
             "}"));
    choices.push_back({{"n", r.row.n},
                       {"k", r.row.k},
                       {"m_min", r.row.m_min},
                       {"m_max", r.row.m_max},
                       {"threads", r.row.threads},
                       {"kernel", r.kernel},
                       {"n_per_task", r.row.n_per_task},
                       {"m_per_task", r.row.m_per_task}});
  }
  std::vector<std::string> feature_values;
  for (const std::string& f : features) feature_values.push_back(t.String(f).substr(4));
  feature_values.push_back("null");
  t.Define("features", Array("ptr", feature_values));
  t.Define("kernels", Array(kKernelType, kernel_values));
  t.Define("choices", Array(kChoiceType, choice_values));
  t.Define("library",
           Join(kLibraryType, " {",
                I32(TRIT_ABI_MAJOR, TRIT_ABI_MINOR, sizeof(trit_library), plan.kernels.size(),
                    plan.rows.size(), 0),
                ", ", t.String(target.arch), ", ", t.String(target.key), ", ptr @features, ",
                t.String(GeneratorBuildId()), ", ptr @kernels, ptr @choices}"));
  t.Append(Join("define ptr @", out.symbol, "() { ret ptr @library }"));
  const std::string what = Join("the library of ", target.key);
  out.objects.push_back(
      {Join("trit_tables_", target.key), AssembleTables(t.text(), target.arch, what)});
  out.shared_entry = {Join("trit_shared_", target.key),
                      AssembleTables(Join("declare hidden ptr @", out.symbol, "()\ndefine ptr @",
                                          TRIT_LIBRARY_SYMBOL, "() { %p = call ptr @", out.symbol,
                                          "() ret ptr %p }"),
                                     target.arch, what)};
  out.manifest = {{"abi", {TRIT_ABI_MAJOR, TRIT_ABI_MINOR}},
                  {"arch", target.arch},
                  {"target", target.key},
                  {"features", features},
                  {"build_id", GeneratorBuildId()},
                  {"layouts", layouts},
                  {"act_forms", forms},
                  {"kernels", kernels},
                  {"choices", choices}};
  return out;
}

Json DescribeTables(const trit_library& library) {
  Json layouts = Json::array(), forms = Json::array(), kernels = Json::array(),
       choices = Json::array(), features = Json::array();
  for (const char* const* f = library.features; *f; ++f) features.push_back(*f);
  std::set<const void*> seen;
  for (uint32_t i = 0; i < library.kernel_count; ++i) {
    const auto* base = reinterpret_cast<const char*>(library.kernels);
    const auto& k =
        *reinterpret_cast<const trit_kernel*>(base + i * size_t{library.kernels->struct_bytes});
    if (seen.insert(k.layout).second) layouts.push_back(LayoutJson(*k.layout));
    if (seen.insert(k.act_form).second) {
      forms.push_back({{"id", k.act_form->id}, {"align", k.act_form->align}});
    }
    kernels.push_back({{"name", k.name},
                       {"family", k.family},
                       {"candidate", k.candidate},
                       {"layout", k.layout->id},
                       {"act_form", k.act_form->id},
                       {"m_granule", k.m_granule},
                       {"m_min", k.m_min},
                       {"m_max", k.m_max},
                       {"k_max", k.k_max},
                       {"scratch_bytes", k.scratch_bytes}});
  }
  for (uint32_t i = 0; i < library.choice_count; ++i) {
    const auto* base = reinterpret_cast<const char*>(library.choices);
    const auto& c =
        *reinterpret_cast<const trit_choice*>(base + i * size_t{library.choices->struct_bytes});
    choices.push_back({{"n", c.n},
                       {"k", c.k},
                       {"m_min", c.m_min},
                       {"m_max", c.m_max},
                       {"threads", c.threads},
                       {"kernel", c.kernel},
                       {"n_per_task", c.n_per_task},
                       {"m_per_task", c.m_per_task}});
  }
  return {{"abi", {library.abi_major, library.abi_minor}},
          {"arch", library.arch},
          {"target", library.target},
          {"features", features},
          {"build_id", library.build_id},
          {"layouts", layouts},
          {"act_forms", forms},
          {"kernels", kernels},
          {"choices", choices}};
}

}  // namespace trit
