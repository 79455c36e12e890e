#include "generator/families/common/knobs.h"

#include <string_view>

namespace trit {

void AddKnobs(const Target& target, const std::vector<int>& prefetch_steps, Space* space) {
  std::vector<std::string> cpus = {"target", "generic"};
  if (std::string_view(target.arch) == "x86-64") {
    cpus.insert(cpus.end(), {"znver4", "icelake-server"});
  }
  space->Ints("prefetch", prefetch_steps, "steps the weights are fetched ahead")
      .Names("hint", {"t0", "t1", "nta"}, "the cache that fetched lines go to")
      .Names("tune", cpus, "the CPU whose scheduling model orders instructions")
      .Rule("a hint is for a prefetch",
            [](const Candidate& c) { return c.Int("prefetch") > 0 || c.Name("hint") == "t0"; });
}

void ApplyKnobs(const Candidate& candidate, KernelParts* parts) {
  const std::string& hint = candidate.Name("hint");
  parts->prefetch_locality = hint == "nta" ? 0 : hint == "t1" ? 2 : 3;
  if (candidate.Name("tune") != "target") parts->tune_cpu = candidate.Name("tune");
}

}  // namespace trit
