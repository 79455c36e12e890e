// The activation form of the dot-product families and of lookups that build their tables inside:
// int8 rows, `granule` tokens and `k_step` values a block, with row sums as the fixed part.
#pragma once

#include <numeric>

#include "generator/blocks.h"
#include "targets/base/error.h"

namespace trit {

inline ActFormSpec RowsForm(int granule, int k_step) {
  ActFormSpec form;
  form.id = Join("rows-m", granule, "-k", k_step, ".v1");
  form.code = "rows";
  form.type = Halide::Int(8);
  form.inner = {k_step, granule};
  form.granule = granule;
  form.k_step = k_step;
  form.align = std::gcd(64, granule * k_step);
  form.fixed_type = Halide::Int(32);
  form.fixed_count = granule;
  form.option = {0};
  return form;
}

// The same with x + 128 as unsigned bytes, the operand a byte dot product wants for activations
// whose partner is signed. The fixed part behind the last block makes reading a few bytes past a
// block harmless.
inline ActFormSpec BiasedRowsForm(int granule, int k_step) {
  ActFormSpec form = RowsForm(granule, k_step);
  form.id = Join("biased-", form.id);
  form.type = Halide::UInt(8);
  form.option = {128};
  return form;
}

}  // namespace trit
