#include "runtime/linked/linked.h"

#define TRIT_LINKED(key) extern "C" const trit_library* trit_library_v1_##key(void);
#include "runtime/linked/linked_libraries.inc"  // generated: the keys of this build
#undef TRIT_LINKED

namespace trit {

std::vector<trit_library_fn> LinkedLibraries() {
  return {
#define TRIT_LINKED(key) trit_library_v1_##key,
#include "runtime/linked/linked_libraries.inc"
#undef TRIT_LINKED
  };
}

}  // namespace trit
