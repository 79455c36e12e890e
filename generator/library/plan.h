// What goes into a kernel library: the choice rows in order and the kernels they name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schedules/tuned.h"
#include "targets/target.h"

namespace trit {

struct ExactShape {
  int32_t n, k;
};

struct LibraryPlan {
  const Target* target = nullptr;
  std::vector<Candidate> kernels;  // canonical, each once, in the order of first use
  struct Row {
    TunedRow row;     // its candidate is canonical
    uint32_t kernel;  // index into kernels
  };
  std::vector<Row> rows;
};

// The shipped rows of a target (schedules/tuned/<target>.txt); throws when there are none.
std::vector<TunedRow> DefaultRows(const Target& target);
bool HasDefaultRows(const Target& target);

// Rows for exact shapes first (each shape with each m gets the row of `rows` that answers for it),
// then `rows` as they are. Throws trit::Error naming the target and the fault: a candidate of
// another target or outside its space, or a layout without an "any" row for some m.
LibraryPlan PlanLibrary(const Target& target, const std::vector<TunedRow>& rows,
                        const std::vector<ExactShape>& shapes = {},
                        const std::vector<int32_t>& m = {});

}  // namespace trit
