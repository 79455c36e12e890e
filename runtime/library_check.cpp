#include "runtime/library_check.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <string_view>

#include "runtime/memory.h"
#include "targets/base/error.h"
#include "targets/features.h"

namespace trit {
namespace {

constexpr uint32_t kMaxKernels = 1u << 16;
constexpr uint32_t kMaxChoices = 1u << 20;
constexpr uint64_t kMaxString = 1u << 16;
constexpr int32_t kMaxGranule = 1 << 16;
constexpr int32_t kMaxTokenGranule = 1 << 10;
constexpr uint64_t kMaxScratch = uint64_t{1} << 28;
constexpr int32_t kNoLimit = std::numeric_limits<int32_t>::max();
// A weight of one trit needs 1.6 bits; a layout that asks for more than this many bytes is wrong.
constexpr uint64_t kMaxBytesPerWeight = 8;

class Checker {
 public:
  Checker(std::string name, const LibraryMemory& memory)
      : name_(std::move(name)), memory_(memory) {}

  CheckedTables Check(const trit_library* library) {
    Need(library != nullptr, "its entry returns a null table");
    Data(library, sizeof(uint32_t) * 3, "the library table");
    Need(library->abi_major == TRIT_ABI_MAJOR,
         Join("it has ABI version ", library->abi_major, ".", library->abi_minor,
              "; this runtime reads version ", TRIT_ABI_MAJOR, ".x"));
    Size(library->struct_bytes, sizeof(trit_library), "the library table");
    Data(library, sizeof(trit_library), "the library table");
    Traits(*library);
    Kernels(*library);
    Choices(*library);
    return std::move(out_);
  }

 private:
  [[noreturn]] void Fail(const std::string& fault) const { throw Error(Join(name_, ": ", fault)); }
  void Need(bool ok, const std::string& fault) const {
    if (!ok) Fail(fault);
  }

  void Data(const void* p, uint64_t bytes, const std::string& what,
            size_t align = alignof(uint64_t)) const {
    Need(p != nullptr, Join(what, " is a null pointer"));
    Need(reinterpret_cast<uintptr_t>(p) % align == 0, Join(what, " is not aligned"));
    Need(memory_.data(p, bytes), Join(what, " lies outside the library"));
  }

  // Struct sizes are read first: nothing beyond what the writer knew is looked at.
  void Size(uint32_t says, size_t needs, const std::string& what) const {
    Need(says >= needs && says % 8 == 0 && says <= 4096,
         Join(what, " says it has ", says, " bytes; version ", TRIT_ABI_MAJOR, ".", TRIT_ABI_MINOR,
              " needs ", needs));
  }

  void Code(const void* p, const std::string& what) const {
    Need(p != nullptr, Join(what, " is a null pointer"));
    Need(memory_.code(p), Join(what, " is no code of the library"));
  }

  std::string Text(const char* p, const std::string& what, bool may_be_empty = false) const {
    Need(p != nullptr, Join(what, " is a null pointer"));
    std::string text;
    for (uint64_t i = 0;; ++i) {
      Need(i < kMaxString, Join(what, " is longer than ", kMaxString, " bytes"));
      Need(memory_.data(p + i, 1), Join(what, " lies outside the library"));
      if (p[i] == '\0') break;
      const unsigned char c = static_cast<unsigned char>(p[i]);
      Need(c >= 0x20 && c != 0x7f, Join(what, " holds control characters"));
      text += p[i];
    }
    Need(may_be_empty || !text.empty(), Join(what, " is empty"));
    return text;
  }

  // Ids end in a version: a changed meaning is a new id.
  void Id(const std::string& id, const std::string& what) const {
    const size_t v = id.rfind(".v");
    const bool versioned = v != std::string::npos && v > 0 && v + 2 < id.size() &&
                           id.find_first_not_of("0123456789", v + 2) == std::string::npos;
    Need(versioned && id.size() <= 128 &&
             id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.-") == std::string::npos,
         Join(what, " is \"", id, "\"; an id is made of a-z 0-9 _ . - and ends in .v1, .v2 ..."));
  }

  void Align(uint32_t align, const std::string& what) const {
    Need(std::has_single_bit(align) && align <= kMaxAlign,
         Join(what, " asks for an alignment of ", align, "; a power of two up to ", kMaxAlign,
              " is possible"));
  }

  void Traits(const trit_library& library) {
    const std::string arch = Text(library.arch, "its architecture");
    Need(arch == HostArch(), Join("it is made for ", arch, "; this program runs on ", HostArch()));
    const std::string key = Text(library.target, "its target");
    try {
      out_.target = &FindTarget(key);
    } catch (const Error& e) {
      Fail(e.what());
    }
    Need(arch == out_.target->arch, Join("it says architecture ", arch, " and target ", key,
                                         ", which is of ", out_.target->arch));
    Data(library.features, sizeof(char*), "its feature list");
    for (size_t i = 0;; ++i) {
      Need(i < 256, "its feature list has no end");
      Data(library.features + i, sizeof(char*), "its feature list");
      if (library.features[i] == nullptr) break;
      std::string feature = Text(library.features[i], Join("feature ", i));
      Need(IsFeatureName(feature),
           Join("it needs the CPU feature \"", feature, "\", which this runtime does not know"));
      out_.features.push_back(std::move(feature));
    }
    for (const std::string& feature : SplitFeatures(out_.target->features)) {
      Need(std::find(out_.features.begin(), out_.features.end(), feature) != out_.features.end(),
           Join("it is for target ", key, " and does not list the CPU feature ", feature,
                " that this target needs"));
    }
    out_.build_id = Text(library.build_id, "its build id");
  }

  void Layout(const trit_layout* layout, const std::string& owner) {
    const std::string what = Join("the layout of ", owner);
    Data(layout, sizeof(uint32_t), what);
    Size(layout->struct_bytes, sizeof(trit_layout), what);
    Data(layout, sizeof(trit_layout), what);
    if (!layouts_.insert(layout).second) return;
    const std::string id = Text(layout->id, Join(what, ": its id"));
    Id(id, Join(what, ": its id"));
    Align(layout->align, Join("layout ", id));
    Need(layout->n_granule >= 1 && layout->n_granule <= kMaxGranule && layout->k_multiple >= 1 &&
             layout->k_multiple <= kMaxGranule,
         Join("layout ", id, " pads N to ", layout->n_granule, " and K to ", layout->k_multiple,
              "; 1 to ", kMaxGranule, " is possible"));
    Code(reinterpret_cast<const void*>(layout->packed_bytes),
         Join("layout ", id, ": packed_bytes"));
    Code(reinterpret_cast<const void*>(layout->pack), Join("layout ", id, ": pack"));
    Code(reinterpret_cast<const void*>(layout->unpack), Join("layout ", id, ": unpack"));
    for (const auto& [n, k] : {std::pair{0, 1}, {1, 0}, {-1, 1}, {1, -1}}) {
      Need(layout->packed_bytes(n, k) == 0,
           Join("layout ", id, " gives a size to a tensor of ", n, " x ", k));
    }
    const int32_t g = layout->n_granule, m = layout->k_multiple;
    uint64_t last = 0;
    for (const auto& [n, k] : {std::pair{1, 1}, {g, m}, {2 * g, 3 * m}, {5 * g + 1, 3 * m + 1}}) {
      const uint64_t bytes = layout->packed_bytes(n, k);
      const uint64_t padded = (uint64_t(n) + g - 1) / g * g * ((uint64_t(k) + m - 1) / m * m);
      Need(bytes > 0 && bytes >= last && bytes <= padded * kMaxBytesPerWeight + 65536,
           Join("layout ", id, " gives ", bytes, " bytes to a tensor of ", n, " x ", k));
      last = bytes;
    }
  }

  void ActForm(const trit_act_form* form, const std::string& owner) {
    const std::string what = Join("the activation form of ", owner);
    Data(form, sizeof(uint32_t), what);
    Size(form->struct_bytes, sizeof(trit_act_form), what);
    Data(form, sizeof(trit_act_form), what);
    if (!forms_.insert(form).second) return;
    const std::string id = Text(form->id, Join(what, ": its id"));
    Id(id, Join(what, ": its id"));
    Align(form->align, Join("activation form ", id));
    Code(reinterpret_cast<const void*>(form->prepared_bytes),
         Join("form ", id, ": prepared_bytes"));
    Code(reinterpret_cast<const void*>(form->parts), Join("form ", id, ": parts"));
    Code(reinterpret_cast<const void*>(form->prepare), Join("form ", id, ": prepare"));
  }

  void Kernels(const trit_library& library) {
    Need(library.kernel_count >= 1 && library.kernel_count <= kMaxKernels,
         Join("it says it has ", library.kernel_count, " kernels"));
    Data(library.kernels, sizeof(uint32_t), "its kernel table");
    const uint32_t step = library.kernels->struct_bytes;
    Size(step, sizeof(trit_kernel), "its first kernel");
    Data(library.kernels, uint64_t{step} * library.kernel_count, "its kernel table");
    for (uint32_t i = 0; i < library.kernel_count; ++i) {
      const auto* kernel = reinterpret_cast<const trit_kernel*>(
          reinterpret_cast<const char*>(library.kernels) + uint64_t{step} * i);
      Need(kernel->struct_bytes == step, Join("kernel ", i, " says it has ", kernel->struct_bytes,
                                              " bytes and the first one ", step));
      const std::string name = Text(kernel->name, Join("the name of kernel ", i));
      const std::string what = Join("kernel ", i, " (", name, ")");
      Need(kernel->flags == 0, Join(what, " has flags this runtime does not know"));
      Text(kernel->family, Join(what, ": its family"));
      Text(kernel->candidate, Join(what, ": its candidate"), /*may_be_empty=*/true);
      Layout(kernel->layout, what);
      ActForm(kernel->act_form, what);
      Need(kernel->m_granule >= 1 && kernel->m_granule <= kMaxTokenGranule,
           Join(what, " pads tokens to ", kernel->m_granule));
      Need(kernel->m_min >= 1 && kernel->m_min <= kernel->m_max,
           Join(what, " is for ", kernel->m_min, " to ", kernel->m_max, " tokens"));
      Need(kernel->k_max >= kernel->layout->k_multiple,
           Join(what, " is exact up to K = ", kernel->k_max, " only, and its layout pads K to ",
                kernel->layout->k_multiple));
      Need(kernel->scratch_bytes <= kMaxScratch,
           Join(what, " asks for ", kernel->scratch_bytes, " bytes of scratch"));
      Code(reinterpret_cast<const void*>(kernel->run), Join(what, ": run"));
      out_.kernels.push_back(kernel);
    }
  }

  void Choices(const trit_library& library) {
    Need(library.choice_count >= 1 && library.choice_count <= kMaxChoices,
         Join("it says it has ", library.choice_count, " choices"));
    Data(library.choices, sizeof(uint32_t), "its choice table", alignof(trit_choice));
    const uint32_t step = library.choices->struct_bytes;
    Size(step, sizeof(trit_choice), "its first choice");
    Data(library.choices, uint64_t{step} * library.choice_count, "its choice table",
         alignof(trit_choice));
    for (uint32_t i = 0; i < library.choice_count; ++i) {
      trit_choice row;
      std::memcpy(&row, reinterpret_cast<const char*>(library.choices) + uint64_t{step} * i,
                  sizeof(row));
      const std::string what = Join("choice ", i);
      Need(row.struct_bytes == step,
           Join(what, " says it has ", row.struct_bytes, " bytes and the first one ", step));
      Need(row.kernel < library.kernel_count,
           Join(what, " names kernel ", row.kernel, " of ", library.kernel_count));
      Need(row.n >= 0 && row.k >= 0 && row.threads >= 0 && row.n_per_task >= 0 &&
               row.m_per_task >= 0,
           Join(what, " has a negative size"));
      const trit_kernel& kernel = *out_.kernels[row.kernel];
      Need(row.m_min >= 1 && row.m_min <= row.m_max && row.m_min >= kernel.m_min &&
               row.m_max <= kernel.m_max,
           Join(what, " sends ", row.m_min, " to ", row.m_max, " tokens to kernel ", kernel.name,
                ", which is for ", kernel.m_min, " to ", kernel.m_max));
      out_.choices.push_back(row);
    }
    NoHole();
  }

  // For every layout in use, the rows for any n, k and thread count cover each m >= 1.
  void NoHole() const {
    std::map<std::string_view, std::vector<std::pair<int32_t, int32_t>>> ranges;
    for (const trit_kernel* kernel : out_.kernels) ranges[kernel->layout->id];
    for (const trit_choice& row : out_.choices) {
      if (row.n == 0 && row.k == 0 && row.threads == 0) {
        ranges[out_.kernels[row.kernel]->layout->id].emplace_back(row.m_min, row.m_max);
      }
    }
    for (auto& [id, list] : ranges) {
      std::sort(list.begin(), list.end());
      int64_t covered = 0;
      for (const auto& [m_min, m_max] : list) {
        if (m_min > covered + 1) break;
        covered = std::max<int64_t>(covered, m_max);
      }
      Need(covered == kNoLimit, Join("its choices have a hole: for layout ", id,
                                     " no row for any shape takes ", covered + 1, " tokens"));
    }
  }

  const std::string name_;
  const LibraryMemory& memory_;
  CheckedTables out_;
  std::set<const trit_layout*> layouts_;
  std::set<const trit_act_form*> forms_;
};

}  // namespace

CheckedTables CheckTables(const trit_library* library, const std::string& name,
                          const LibraryMemory& memory) {
  return Checker(name, memory).Check(library);
}

}  // namespace trit
