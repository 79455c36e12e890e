#include "tests/kit/digest.h"

#include <cstring>
#include <functional>
#include <vector>

#include "runtime/sizes.h"
#include "targets/base/error.h"
#include "tests/kit/guard.h"
#include "tests/kit/oracle.h"

namespace trit::kit {
namespace {

struct Case {
  int32_t n, k, m;
};
constexpr Case kCases[] = {{1, 1, 1},     {37, 100, 1},  {96, 2560, 1}, {130, 769, 2},
                           {64, 1000, 5}, {48, 2561, 8}, {200, 640, 17}};

using Product = std::function<std::vector<int32_t>(const Trits&, const Tokens&)>;

uint64_t Digest(const Product& product) {
  uint64_t hash = 14695981039346656037u;
  std::mt19937_64 random(20261121);
  for (const Case& c : kCases) {
    for (const Fill fill : kAllFills) {
      const Trits trits = MakeTrits(c.n, c.k, fill, random);
      const Tokens tokens = MakeTokens(c.m, c.k, fill, random);
      for (const int32_t sum : product(trits, tokens)) {
        for (int byte = 0; byte < 4; ++byte) {
          hash = (hash ^ (static_cast<uint32_t>(sum) >> (8 * byte) & 255)) * 1099511628211u;
        }
      }
    }
  }
  return hash;
}

// y[token * n + row] by one kernel.
std::vector<int32_t> Run(const trit_kernel& kernel, const Trits& trits, const Tokens& tokens) {
  const trit_layout& layout = *kernel.layout;
  const trit_act_form& form = *kernel.act_form;
  const int32_t n = trits.n, k = trits.k, m = tokens.m;
  const auto pad = [](int32_t x, int32_t step) { return (x + step - 1) / step * step; };
  const int32_t np = pad(n, layout.n_granule), kp = pad(k, layout.k_multiple);
  const int32_t mp = pad(m, kernel.m_granule), stride = pad(np, 16);
  Guarded w(layout.packed_bytes(n, k), layout.align);
  Guarded rows(uint64_t(mp) * kp, 64, Guarded::kEnd, 0);
  for (int32_t t = 0; t < m; ++t) std::memcpy(rows.data() + size_t(t) * kp, tokens.Row(t), k);
  Guarded act(form.prepared_bytes(mp, kp), form.align);
  Guarded y(uint64_t(mp) * stride * sizeof(int32_t), 64);
  Guarded scratch(kernel.scratch_bytes, 64);
  trit_matmul_args args{};
  args.struct_bytes = sizeof(args);
  args.m = args.m_end = mp;
  args.n = args.n_end = np;
  args.k = kp;
  args.kernel = &kernel;
  args.act = act.data();
  args.w = w.data();
  args.y = y.as<int32_t>();
  args.y_stride = stride;
  args.scratch = kernel.scratch_bytes == 0 ? nullptr : scratch.data();
  if (layout.pack(trits.w.data(), k, n, k, 0, n, w.data()) != TRIT_OK ||
      form.prepare(rows.as<int8_t>(), kp, mp, kp, 0, form.parts(mp, kp), act.data()) != TRIT_OK ||
      kernel.run(&args) != TRIT_OK) {
    throw Error(Join("kernel ", kernel.name, " fails for ", n, " x ", k, ", ", m, " tokens"));
  }
  std::vector<int32_t> out;
  for (int32_t t = 0; t < m; ++t) {
    const int32_t* row = args.y + size_t(t) * stride;
    out.insert(out.end(), row, row + n);
  }
  return out;
}

}  // namespace

uint64_t SumsDigest(const KernelLibrary& library) {
  // Every kernel of the library has its say: case after case takes the next that allows its m.
  size_t next = 0;
  const auto& kernels = library.kernels();
  return Digest([&](const Trits& trits, const Tokens& tokens) {
    for (size_t tried = 0; tried < kernels.size(); ++tried) {
      const trit_kernel& kernel = *kernels[next++ % kernels.size()];
      if (kernel.m_min <= tokens.m && tokens.m <= kernel.m_max) return Run(kernel, trits, tokens);
    }
    throw Error(Join(library.name(), " has no kernel for ", tokens.m, " tokens"));
  });
}

uint64_t OracleDigest() {
  return Digest(Oracle);
}

}  // namespace trit::kit
