#include "model/arch/arch.h"

#include "targets/base/error.h"

namespace trit {

#define TRIT_ARCHITECTURE(variable) extern const ArchFacts variable;
#include "model/arch/architectures.inc"
#undef TRIT_ARCHITECTURE

std::span<const ArchFacts* const> Architectures() {
  static const ArchFacts* const table[] = {
#define TRIT_ARCHITECTURE(variable) &variable,
#include "model/arch/architectures.inc"
#undef TRIT_ARCHITECTURE
  };
  return table;
}

const ArchFacts& FindArchitecture(std::string_view name) {
  std::string known;
  for (const ArchFacts* facts : Architectures()) {
    if (name == facts->name) return *facts;
    known += (known.empty() ? "" : ", ") + std::string(facts->name);
  }
  throw Error(Join("no architecture named '", name, "'; there are ", known));
}

const char* ActivationName(ops::Activation activation) {
  return activation == ops::Activation::kSilu ? "silu" : "relu2";
}

ops::Activation ParseActivation(std::string_view text) {
  for (const char* name : {"relu2", "squared_relu", "relu_squared", "relu_sqr"}) {
    if (text == name) return ops::Activation::kSquaredRelu;
  }
  if (text == "silu" || text == "swish") return ops::Activation::kSilu;
  throw Error(Join("unknown activation '", text, "'; known are relu2 and silu"));
}

}  // namespace trit
