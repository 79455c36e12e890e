#include "model/cli/formats.h"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "targets/base/error.h"

namespace trit::cli {

void AddModelOptions(CLI::App& app, ModelOptions* options) {
  app.add_option("-m,--model", options->path, "a GGUF file or a Hugging Face folder")->required();
  app.add_option("--i2s-order", options->i2s_order,
                 "order of I2_S codes in the file: 128 (published), 64 (written on ARM), row4")
      ->capture_default_str();
}

std::unique_ptr<ModelSource> Open(const ModelOptions& options) {
  OpenOptions open;
  open.i2s_order = ParseI2sOrder(options.i2s_order);
  return OpenModel(options.path, open);
}

void PrintNotes(const ModelSource& source) {
  for (const std::string& note : source.notes()) std::fprintf(stderr, "note: %s\n", note.c_str());
}

std::string ReadInput(const std::string& path) {
  if (path == "-") {
    return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error(Join("cannot open ", path));
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.bad()) throw Error(Join("cannot read ", path));
  return text;
}

std::string HumanBytes(uint64_t bytes) {
  char text[32];
  if (bytes >= 1000000000) {
    std::snprintf(text, sizeof(text), "%.2f GB", static_cast<double>(bytes) * 1e-9);
  } else if (bytes >= 1000000) {
    std::snprintf(text, sizeof(text), "%.2f MB", static_cast<double>(bytes) * 1e-6);
  } else {
    std::snprintf(text, sizeof(text), "%.2f kB", static_cast<double>(bytes) * 1e-3);
  }
  return text;
}

}  // namespace trit::cli
