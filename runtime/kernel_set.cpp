#include "runtime/kernel_set.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "runtime/portable/portable.h"
#include "runtime/sizes.h"
#include "targets/base/error.h"
#include "targets/features.h"

namespace trit {
namespace {

constexpr int32_t kNoLimit = std::numeric_limits<int32_t>::max();

std::string List(const std::set<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "none" : out;
}

void CheckShape(int32_t n, int32_t k, int32_t m, int threads) {
  if (n <= 0 || k <= 0 || m <= 0 || threads <= 0) {
    throw Error(Join("no kernel for a product of n = ", n, ", k = ", k, ", m = ", m, " on ",
                     threads, " threads: every size is at least 1"));
  }
}

bool Matches(const trit_choice& row, int32_t n, int32_t k, int threads) {
  return (row.n == 0 || row.n == n) && (row.k == 0 || row.k == k) &&
         (row.threads == 0 || row.threads == threads);
}

}  // namespace

struct KernelSet::State {
  std::vector<std::shared_ptr<const KernelLibrary>> libraries;
  std::vector<std::string> left_out;
  std::string family;
  int32_t max_n_granule = 1, max_k_multiple = 1, max_m_granule = 1;

  // Portable kernels for layouts of other libraries, made when first asked for. Addresses stay.
  mutable std::mutex mutex;
  mutable std::map<std::pair<const trit_layout*, int32_t>, std::unique_ptr<trit_kernel>> portable;

  const trit_kernel* Portable(const trit_layout& layout, int32_t k_padded) const {
    std::lock_guard lock(mutex);
    auto& kernel = portable[{&layout, k_padded}];
    if (kernel == nullptr) kernel = std::make_unique<trit_kernel>(PortableKernel(layout, k_padded));
    return kernel.get();
  }

  bool Exact(const trit_kernel& kernel, int32_t k) const {
    return (int64_t{k} + kernel.layout->k_multiple - 1) / kernel.layout->k_multiple *
               kernel.layout->k_multiple <=
           kernel.k_max;
  }

  // The first choice that matches; `layout_id` empty = any layout, `wanted_family` empty = any.
  KernelChoice Find(int32_t n, int32_t k, int32_t m, int threads, std::string_view layout_id,
                    std::string_view wanted_family) const {
    const auto fits = [&](const trit_kernel& kernel) {
      return (layout_id.empty() || layout_id == kernel.layout->id) &&
             (wanted_family.empty() || wanted_family == kernel.family) && Exact(kernel, k);
    };
    for (const auto& library : libraries) {
      for (size_t i = 0; i < library->choices().size(); ++i) {
        const trit_choice& row = library->choices()[i];
        const trit_kernel& kernel = *library->kernels()[row.kernel];
        if (m < row.m_min || m > row.m_max || !Matches(row, n, k, threads) || !fits(kernel)) {
          continue;
        }
        return {&kernel, library.get(), row.n_per_task, row.m_per_task, static_cast<int32_t>(i)};
      }
    }
    if (wanted_family.empty()) return {};
    // A family may be asked for that no row recommends: any of its kernels that takes m tokens.
    for (const auto& library : libraries) {
      for (const trit_kernel* kernel : library->kernels()) {
        if (m >= kernel->m_min && m <= kernel->m_max && fits(*kernel)) {
          return {kernel, library.get(), 0, 0, -1};
        }
      }
    }
    return {};
  }
};

const KernelChoice& KernelPlan::For(int32_t m) const {
  for (const Range& range : ranges_) {
    if (m <= range.m_max) return range.choice;
  }
  throw Error("an empty kernel plan was asked for a kernel");
}

KernelSet::KernelSet(const KernelSetOptions& options) : state_(std::make_shared<State>()) {
  State& s = *state_;
  for (const std::string& path : options.files) {
    auto library = KernelLibrary::FromFile(path);
    if (!library->runnable()) {
      std::string missing;
      for (const auto& f : library->missing_features())
        missing += (missing.empty() ? "" : ", ") + f;
      throw Error(Join(path, ": needs CPU features that this machine lacks: ", missing));
    }
    s.libraries.push_back(std::move(library));
  }
  std::vector<std::shared_ptr<const KernelLibrary>> linked;
  for (const trit_library_fn entry : options.linked) {
    const trit_library* table = entry == nullptr ? nullptr : entry();
    const char* key = table == nullptr || table->target == nullptr ? "?" : table->target;
    auto library = KernelLibrary::FromTable(entry, Join("built-in ", key));
    if (library->runnable()) {
      linked.push_back(std::move(library));
      continue;
    }
    std::string missing;
    for (const auto& f : library->missing_features()) missing += (missing.empty() ? "" : ", ") + f;
    s.left_out.push_back(Join(library->name(), ": this CPU lacks ", missing));
  }
  std::stable_sort(linked.begin(), linked.end(), [](const auto& a, const auto& b) {
    return a->target().rank > b->target().rank;
  });
  s.libraries.insert(s.libraries.end(), linked.begin(), linked.end());

  if (!options.target.empty()) {
    const Target& target = FindTarget(options.target);
    if (!HostFeatures().CanRun(target)) {
      std::string missing;
      if (HostFeatures().arch() == target.arch) {
        for (const auto& f : HostFeatures().Missing(target.features)) missing += " " + f;
      }
      throw Error(missing.empty()
                      ? Join("target ", target.key, " is of architecture ", target.arch,
                             "; this program runs on ", HostArch())
                      : Join("target ", target.key, " cannot run here: this CPU lacks", missing));
    }
    std::set<std::string> here{BaselineTarget().key};  // the portable library's
    for (const auto& library : s.libraries) here.insert(library->target().key);
    std::erase_if(s.libraries,
                  [&](const auto& library) { return library->target().key != options.target; });
    if (s.libraries.empty() && options.target != BaselineTarget().key) {
      throw Error(Join("no kernel library of target ", options.target,
                       " is loaded; there are libraries of: ", List(here)));
    }
  }
  s.libraries.push_back(KernelLibrary::FromTable(PortableLibrary, "portable"));

  std::set<std::string> families;
  for (const auto& library : s.libraries) {
    for (const trit_kernel* kernel : library->kernels()) {
      families.insert(kernel->family);
      s.max_n_granule = std::max(s.max_n_granule, kernel->layout->n_granule);
      s.max_k_multiple = std::max(s.max_k_multiple, kernel->layout->k_multiple);
      s.max_m_granule = std::max(s.max_m_granule, kernel->m_granule);
    }
  }
  if (!options.family.empty() && !families.contains(options.family)) {
    throw Error(Join("no kernel of family \"", options.family,
                     "\" can be used here; families: ", List(families)));
  }
  s.family = options.family;
}

const trit_layout& KernelSet::ChooseLayout(int32_t n, int32_t k, int threads) const {
  CheckShape(n, k, 1, threads);
  KernelChoice choice = state_->Find(n, k, 1, threads, "", state_->family);
  if (choice.kernel == nullptr && !state_->family.empty()) {
    throw Error(
        Join("family ", state_->family, " has no kernel for one token of n = ", n, ", k = ", k));
  }
  if (choice.kernel == nullptr) {
    throw Error(Join("K = ", k, " is too large for exact int32 sums: no kernel takes it"));
  }
  return *choice.kernel->layout;
}

const trit_layout& KernelSet::FindLayout(std::string_view id) const {
  std::set<std::string> known;
  for (const auto& library : state_->libraries) {
    for (const trit_kernel* kernel : library->kernels()) {
      if (id == kernel->layout->id) return *kernel->layout;
      known.insert(kernel->layout->id);
    }
  }
  throw Error(Join("no kernel here reads the layout \"", id, "\"; layouts: ", List(known)));
}

KernelChoice KernelSet::ChooseKernel(const trit_layout& layout, int32_t n, int32_t k, int32_t m,
                                     int threads) const {
  CheckShape(n, k, m, threads);
  if (!state_->family.empty()) {
    const KernelChoice forced = state_->Find(n, k, m, threads, layout.id, state_->family);
    if (forced.kernel != nullptr) return forced;
  }
  const KernelChoice choice = state_->Find(n, k, m, threads, layout.id, "");
  if (choice.kernel != nullptr) return choice;
  const trit_kernel* portable =
      state_->Portable(layout, PadTo(k, layout.k_multiple, "the portable kernel's K"));
  if (!state_->Exact(*portable, k)) {
    throw Error(Join("K = ", k, " is too large for exact int32 sums: no kernel takes it"));
  }
  return {portable, nullptr, 0, 0, -1};
}

KernelPlan KernelSet::Plan(const trit_layout& layout, int32_t n, int32_t k, int threads) const {
  CheckShape(n, k, 1, threads);
  // The answer can change only where a row or a kernel begins or ends.
  std::set<int32_t> starts{1};
  const auto add = [&starts](int32_t m_min, int32_t m_max) {
    starts.insert(m_min);
    if (m_max != kNoLimit) starts.insert(m_max + 1);
  };
  for (const auto& library : state_->libraries) {
    for (const trit_choice& row : library->choices()) {
      if (Matches(row, n, k, threads)) add(row.m_min, row.m_max);
    }
    if (state_->family.empty()) continue;
    for (const trit_kernel* kernel : library->kernels()) add(kernel->m_min, kernel->m_max);
  }
  KernelPlan plan;
  plan.layout_ = &layout;
  plan.n_ = n;
  plan.k_ = k;
  plan.threads_ = threads;
  plan.keep_ = state_;
  for (auto it = starts.begin(); it != starts.end(); ++it) {
    const KernelChoice choice = ChooseKernel(layout, n, k, *it, threads);
    const auto next = std::next(it);
    const int32_t m_max = next == starts.end() ? kNoLimit : *next - 1;
    if (!plan.ranges_.empty()) {
      KernelPlan::Range& last = plan.ranges_.back();
      if (last.choice.kernel == choice.kernel && last.choice.row == choice.row) {
        last.m_max = m_max;
        continue;
      }
    }
    plan.ranges_.push_back({m_max, choice});
  }
  return plan;
}

std::string KernelSet::Explain(int32_t n, int32_t k, int32_t m, int threads) const {
  const trit_layout& layout = ChooseLayout(n, k, threads);
  const KernelChoice choice = ChooseKernel(layout, n, k, m, threads);
  const trit_kernel& kernel = *choice.kernel;
  std::string text = Join(n, " x ", k, ", ", m, m == 1 ? " token, " : " tokens, ", threads,
                          threads == 1 ? " thread" : " threads", ": layout ", layout.id,
                          ", kernel ", kernel.name, " (family ", kernel.family, ")");
  if (choice.library == nullptr) {
    text += ", made by the runtime for this layout";
  } else {
    text += Join(", library ", choice.library->name(), ", ");
    text += choice.row < 0 ? std::string("asked for by family") : Join("choice row ", choice.row);
  }
  if (choice.n_per_task > 0) text += Join(", ", choice.n_per_task, " rows a task");
  if (choice.m_per_task > 0) text += Join(", ", choice.m_per_task, " tokens a task");
  if (kernel.candidate[0] != '\0') text += Join(", candidate ", kernel.candidate);
  return text;
}

std::span<const std::shared_ptr<const KernelLibrary>> KernelSet::libraries() const {
  return state_->libraries;
}
std::span<const std::string> KernelSet::left_out() const {
  return state_->left_out;
}
int32_t KernelSet::max_n_granule() const {
  return state_->max_n_granule;
}
int32_t KernelSet::max_k_multiple() const {
  return state_->max_k_multiple;
}
int32_t KernelSet::max_m_granule() const {
  return state_->max_m_granule;
}

}  // namespace trit
