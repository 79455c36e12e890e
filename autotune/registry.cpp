#include "autotune/registry.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "autotune/records/database.h"
#include "generator/family.h"
#include "generator/kernel.h"
#include "targets/base/error.h"
#include "targets/target.h"

namespace trit {

const std::string& ProgramSignature() {
  static const std::string signature = [] {
    std::vector<std::string> registered;
    for (const Target& target : AllTargets()) {
      registered.push_back(
          Join("target ", std::string_view(target.key), ": ", std::string_view(target.features)));
      for (const Family* family : AllFamilies()) {
        if (!family->supports(target)) continue;
        const Space space = family->space(target);
        std::string line = Join("space ", space.family(), " ", space.target());
        for (const Parameter& parameter : space.parameters()) {
          line += Join(" ", parameter.name, "=");
          for (const std::string& value : parameter.values) line += Join(value, ",");
        }
        registered.push_back(line);
      }
    }
    return RegistrySignature(registered);
  }();
  return signature;
}

BuildIdentity ProgramBuild() {
  // "tritforge <hash of all generator sources> halide <version> llvm <version>"
  BuildIdentity build;
  std::istringstream words(GeneratorBuildId());
  std::string word;
  while (words >> word) {
    if (word == "tritforge") words >> build.git;
    if (word == "halide") words >> build.halide;
    if (word == "llvm") words >> build.llvm;
  }
  build.compiler = Join("gcc ", std::string_view(__VERSION__));
  if (build.git.empty() || build.halide.empty() || build.llvm.empty()) {
    throw Error(Join("The generator's build id \"", GeneratorBuildId(),
                     "\" does not name its sources, Halide and LLVM."));
  }
  return build;
}

}  // namespace trit
