// The real tokenizer data beside the repository, and where it is looked for.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace trit::test {

// ../shared/data/tokenizer of the source folder, or TRIT_TEST_DATA. Worktrees lie one level deeper.
inline std::filesystem::path TokenizerData() {
  if (const char* folder = std::getenv("TRIT_TEST_DATA")) {
    return std::filesystem::path(folder) / "tokenizer";
  }
  const std::filesystem::path source(TRIT_SOURCE_DIR);
  for (const char* up : {"..", "../.."}) {
    const auto folder = source / up / "shared" / "data" / "tokenizer";
    if (std::filesystem::exists(folder)) return folder;
  }
  return source / "../shared/data/tokenizer";
}

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace trit::test
