#include "autotune/registry.h"

#include <algorithm>
#include <vector>

#include "autotune/records/database.h"
#include "generator/family.h"
#include "generator/kernel.h"
#include "runtime/records/folder.h"
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
  const BuildIdentity build = BuildFromId(GeneratorBuildId());
  if (build.halide == "none") {
    throw Error(Join("The generator's build id \"", GeneratorBuildId(),
                     "\" does not name its sources, Halide and LLVM."));
  }
  return build;
}

}  // namespace trit
