// The activation form of the dot-product families and of lookups that build their tables inside:
// int8 rows, `granule` tokens and `k_step` values a block, with row sums as the fixed part.
#pragma once

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
  form.align = 64;
  form.fixed_type = Halide::Int(32);
  form.fixed_count = granule;
  return form;
}

}  // namespace trit
