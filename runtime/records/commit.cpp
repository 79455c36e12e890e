#include "runtime/records/record.h"

namespace trit {

const char* ProgramCommit() {
  return
#include "runtime/records/commit.inc"
      ;
}

}  // namespace trit
