// What the commands about files and tokenizers share.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "model/source/model_source.h"

namespace trit::cli {

struct ModelOptions {
  std::string path;
  std::string i2s_order = "128";
};

// -m/--model and --i2s-order.
void AddModelOptions(CLI::App& app, ModelOptions* options);
std::unique_ptr<ModelSource> Open(const ModelOptions& options);
// What was decided while opening, to standard error.
void PrintNotes(const ModelSource& source);

// A file's content, or standard input's for "-".
std::string ReadInput(const std::string& path);
// "1.19 GB".
std::string HumanBytes(uint64_t bytes);

}  // namespace trit::cli
