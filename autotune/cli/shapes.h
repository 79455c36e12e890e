// Weight shapes on a command line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace trit {

struct Shape {
  int32_t n, k;
};

// "2560x6912,640x2560"; "2b4t" is the four shapes of BitNet b1.58 2B4T; "" is none.
std::vector<Shape> ParseShapes(const std::string& text);

}  // namespace trit
