// The last word of a tuning run: the library that was made, loaded as programs load it, against the
// kernels they would use without it. Blocks of A B B A in two processes; what is certainly slower
// is taken back.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autotune/tune/tuner.h"

namespace trit {

// Fills `check` of the choices whose kernel or slices differ from the shipped ones, until
// `budget_s` is used up. Tensors (shape x threads) with a choice that is certainly slower lose all
// their promotions, because their layout may be another one. Returns the number of these.
int CheckLibrary(std::vector<TunedChoice>* choices, const std::string& library,
                 const SessionOptions& session, double budget_s,
                 const std::function<void(const std::string&)>& progress);

}  // namespace trit
