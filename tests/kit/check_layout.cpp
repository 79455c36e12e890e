#include <algorithm>
#include <cstring>
#include <set>

#include "runtime/sizes.h"
#include "tests/kit/check_library.h"
#include "tests/kit/guard.h"
#include "tests/kit/oracle.h"

namespace trit::kit {
namespace {

struct Fault {
  std::string text;
};

class LayoutChecker {
 public:
  LayoutChecker(const trit_layout& layout, const CheckOptions& options)
      : layout_(layout), random_(options.seed), sweep_(options.sweep) {}

  void Check() {
    const int32_t g = layout_.n_granule, q = layout_.k_multiple;
    std::set<int32_t> ns{1, g, g + 1, 2 * g + std::min(g, 3)}, ks{1, 3, q, q + 1, 2 * q + 5, 100};
    if (g > 1) ns.insert(g - 1);
    if (q > 1) ks.insert(q - 1);
    for (int i = 1; i < sweep_; ++i) {
      ns.insert(static_cast<int32_t>(1 + random_() % (3 * g)));
      ks.insert(static_cast<int32_t>(1 + random_() % (3 * q + 64)));
    }
    for (const int32_t n : ns) {
      for (const int32_t k : ks) RoundTrip(n, k);
    }
    Refusals();
  }

 private:
  void Need(bool ok, const std::string& what, int32_t n, int32_t k) const {
    if (!ok) throw Fault{Join("layout ", layout_.id, ", ", n, " x ", k, ": ", what)};
  }

  void RoundTrip(int32_t n, int32_t k) {
    const int32_t g = layout_.n_granule;
    const Trits trits = MakeTrits(n, k, Fill::kRandom, random_);
    const uint64_t bytes = layout_.packed_bytes(n, k);
    Need(bytes > 0, "packed_bytes refuses it", n, k);
    // The source ends at an unmapped page, rows further apart than they are long.
    const ptrdiff_t stride = k + 1;
    Guarded source(uint64_t(n - 1) * stride + k, 1);
    for (int32_t r = 0; r < n; ++r) {
      std::memcpy(source.data() + r * stride, trits.Row(r), k);
    }
    source.ReadOnly();
    const int8_t* from = source.as<int8_t>();
    Guarded whole(bytes, layout_.align, Guarded::kEnd, 0xa5);
    Need(layout_.pack(from, stride, n, k, 0, n, whole.data()) == TRIT_OK, "pack fails", n, k);
    Need(whole.CanaryIntact(), "pack writes outside the packed tensor", n, k);

    // Granule by granule, last one first, over another background: every byte of the tensor must be
    // written by exactly one granule.
    Guarded pieces(bytes, layout_.align, Guarded::kBegin, 0x5a);
    std::vector<uint8_t> writers(bytes, 0);
    for (int32_t begin = (n - 1) / g * g; begin >= 0; begin -= g) {
      const int32_t end = std::min(n, begin + g);
      const int8_t* rows = from + begin * stride;
      std::vector<uint8_t> before(pieces.data(), pieces.data() + bytes);
      Need(layout_.pack(rows, stride, n, k, begin, end, pieces.data()) == TRIT_OK,
           "pack of one granule fails", n, k);
      // What changed is the granule's; what did not may have been written with the same value, so
      // the bytes are flipped and packed once more.
      std::vector<uint8_t> first(pieces.data(), pieces.data() + bytes);
      for (uint64_t i = 0; i < bytes; ++i) pieces.data()[i] = static_cast<uint8_t>(~before[i]);
      layout_.pack(rows, stride, n, k, begin, end, pieces.data());
      for (uint64_t i = 0; i < bytes; ++i) {
        const bool untouched =
            first[i] == before[i] && pieces.data()[i] == static_cast<uint8_t>(~before[i]);
        if (!untouched) ++writers[i];
      }
      std::memcpy(pieces.data(), first.data(), bytes);
    }
    Need(pieces.CanaryIntact(), "pack of a granule writes outside the packed tensor", n, k);
    for (uint64_t i = 0; i < bytes; ++i) {
      Need(writers[i] <= 1, Join("byte ", i, " belongs to ", int{writers[i]}, " granules"), n, k);
      Need(writers[i] >= 1, Join("byte ", i, " of ", bytes, " is written by no granule"), n, k);
    }
    Need(std::memcmp(whole.data(), pieces.data(), bytes) == 0,
         "packing by granules gives other bytes than packing at once", n, k);

    // Kernels are told the padded sizes: they must mean the same bytes.
    const int32_t np = PadTo(n, g, "n"), kp = PadTo(k, layout_.k_multiple, "k");
    Need(layout_.packed_bytes(np, kp) == bytes, "padded sizes give another packed size", n, k);
    std::vector<int8_t> padded(size_t(np) * kp, 0);
    for (int32_t r = 0; r < n; ++r) std::memcpy(&padded[size_t(r) * kp], trits.Row(r), k);
    pieces.Set(0x33);
    Need(layout_.pack(padded.data(), kp, np, kp, 0, np, pieces.data()) == TRIT_OK,
         "pack of the padded matrix fails", n, k);
    Need(std::memcmp(whole.data(), pieces.data(), bytes) == 0,
         "the padded matrix packs to other bytes", n, k);

    // Back, whole and by granules; gaps between rows stay.
    whole.ReadOnly();
    for (const int32_t step : {np, g}) {
      Guarded back(uint64_t(n - 1) * stride + k, 1, Guarded::kEnd, 0x77);
      for (int32_t begin = 0; begin < n; begin += step) {
        Need(layout_.unpack(whole.data(), n, k, begin, std::min(n, begin + step),
                            back.as<int8_t>() + begin * stride, stride) == TRIT_OK,
             "unpack fails", n, k);
      }
      for (int32_t r = 0; r < n; ++r) {
        Need(std::memcmp(back.data() + r * stride, trits.Row(r), k) == 0,
             Join("row ", r, " does not come back from unpack"), n, k);
        Need(r + 1 == n || back.data()[r * stride + k] == 0x77, "unpack writes between rows", n, k);
      }
      Need(back.CanaryIntact(), "unpack writes outside the rows", n, k);
    }
  }

  void Refusals() {
    const int32_t g = layout_.n_granule;
    const int32_t n = 2 * g + 1, k = layout_.k_multiple + 1;
    std::vector<int8_t> trits(size_t(n) * k, 0);
    Guarded packed(layout_.packed_bytes(n, k), layout_.align);
    std::set<size_t> places{0, size_t(k) - 1, trits.size() - 1, random_() % trits.size()};
    for (const int bad : {2, -2, 3, 127, -128, 4, 16, 64}) {
      for (const size_t place : places) {
        trits[place] = static_cast<int8_t>(bad);
        Need(layout_.pack(trits.data(), k, n, k, 0, n, packed.data()) == TRIT_BAD_TRIT,
             Join("pack takes the weight ", bad), n, k);
        trits[place] = 0;
      }
    }
    const struct {
      int32_t n, k, begin, end;
    } shapes[] = {{0, k, 0, 0},  {n, 0, 0, n},     {-1, k, 0, 1},           {n, -1, 0, n},
                  {n, k, -g, g}, {n, k, 0, n + 1}, {n, k, 2 * g + g, n + g}};
    for (const auto& s : shapes) {
      Need(layout_.pack(trits.data(), k, s.n, s.k, s.begin, s.end, packed.data()) != TRIT_OK &&
               layout_.unpack(packed.data(), s.n, s.k, s.begin, s.end, trits.data(), k) != TRIT_OK,
           Join("rows ", s.begin, " to ", s.end, " are taken"), s.n, s.k);
    }
    if (g > 1) {
      Need(layout_.pack(trits.data(), k, n, k, 1, n, packed.data()) != TRIT_OK &&
               layout_.pack(trits.data(), k, n, k, 0, g - 1, packed.data()) != TRIT_OK,
           "rows that do not begin or end at a granule are taken", n, k);
    }
    Need(layout_.pack(nullptr, k, n, k, 0, n, packed.data()) == TRIT_BAD_POINTER &&
             layout_.pack(trits.data(), k, n, k, 0, n, nullptr) == TRIT_BAD_POINTER &&
             layout_.unpack(nullptr, n, k, 0, n, trits.data(), k) == TRIT_BAD_POINTER &&
             layout_.unpack(packed.data(), n, k, 0, n, nullptr, k) == TRIT_BAD_POINTER,
         "null pointers are taken", n, k);
  }

  const trit_layout& layout_;
  std::mt19937_64 random_;
  const int sweep_;
};

}  // namespace

void CheckLayout(const trit_layout& layout, const CheckOptions& options, CheckReport* report) {
  ++report->layouts;
  try {
    LayoutChecker(layout, options).Check();
  } catch (const Fault& fault) {
    report->faults.push_back(fault.text);
  } catch (const Error& e) {
    report->faults.push_back(Join("layout ", layout.id, ": ", e.what()));
  }
}

}  // namespace trit::kit
