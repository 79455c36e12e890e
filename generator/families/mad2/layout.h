// The bytes of mad2 (mad2.c has the drawing), which veclut reads as well.
#pragma once

#include "generator/blocks.h"
#include "targets/base/error.h"

namespace trit {

inline LayoutSpec Mad2Layout(int rows, int k) {
  LayoutSpec layout;
  layout.id = Join("mad2-r", rows, "-k", k, ".v1");
  layout.code = "mad2";
  layout.type = Halide::UInt(8);
  layout.inner = {4, rows, k / 16};
  layout.granule = rows;
  layout.k_step = k;
  return layout;
}

}  // namespace trit
