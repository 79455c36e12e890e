/* The ABI header alone, as C11 under -Wpadded: no struct has padding the compiler chose. */
#include "runtime/abi/trit_kernel.h"

_Static_assert(sizeof(trit_layout) == 48, "trit_layout grows at its end only");
_Static_assert(sizeof(trit_act_form) == 40, "trit_act_form grows at its end only");
_Static_assert(sizeof(trit_matmul_args) == 80, "trit_matmul_args grows at its end only");
_Static_assert(sizeof(trit_kernel) == 80, "trit_kernel grows at its end only");
_Static_assert(sizeof(trit_choice) == 40, "trit_choice grows at its end only");
_Static_assert(sizeof(trit_library) == 72, "trit_library grows at its end only");

int trit_abi_header_is_c11(void);
int trit_abi_header_is_c11(void) { return TRIT_OK; }
