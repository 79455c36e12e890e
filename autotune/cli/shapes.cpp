#include "autotune/cli/shapes.h"

#include <algorithm>
#include <cstdio>

#include "targets/base/error.h"

namespace trit {

std::vector<Shape> ParseShapes(const std::string& text) {
  if (text.empty()) return {};
  if (text == "2b4t") return {{2560, 2560}, {640, 2560}, {6912, 2560}, {2560, 6912}};
  std::vector<Shape> out;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string word = text.substr(at, end - at);
    Shape shape{};
    int used = 0;
    if (word.size() > 21 ||
        std::sscanf(word.c_str(), "%9dx%9d%n", &shape.n, &shape.k, &used) != 2 ||
        used != static_cast<int>(word.size()) || shape.n < 1 || shape.k < 1) {
      throw Error(Join("the shape \"", word, "\" is neither NxK nor \"2b4t\""));
    }
    out.push_back(shape);
    at = end + 1;
  }
  return out;
}

}  // namespace trit
