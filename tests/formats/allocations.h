// Replaces operator new in the program that links allocations.cpp and remembers the largest
// request.
#pragma once

#include <atomic>
#include <cstddef>

namespace trit::test {

std::atomic<size_t>& LargestAllocation();

}  // namespace trit::test
