/* Shared objects that are no kernel libraries although they look like ones; STRANGE picks which. */
#include "runtime/abi/trit_kernel.h"

#include <limits.h>
#include <stdio.h>

const trit_library* trit_library_v1(void);

#if STRANGE == 1 /* no symbol */
int trit_something_else(void);
int trit_something_else(void) { return 1; }

#elif STRANGE == 2 /* the symbol is data */
extern const int trit_data[4];
const int trit_data[4] __asm__("trit_library_v1") = {1, 2, 3, 4};

#elif STRANGE == 3 /* a null table */
const trit_library* trit_library_v1(void) { return NULL; }

#elif STRANGE == 4 /* a table outside of the library */
const trit_library* trit_library_v1(void) { return (const trit_library*)0x1000; }

#elif STRANGE == 5 /* a table in somebody else's memory, readable all the same */
const trit_library* trit_library_v1(void) { return (const trit_library*)(const void*)stdout; }

#elif STRANGE == 6 /* counts far beyond the tables */
static const char* const kFeatures[] = {NULL};
static trit_library library = {.abi_major = TRIT_ABI_MAJOR,
                               .struct_bytes = sizeof(trit_library),
                               .kernel_count = 60000,
                               .choice_count = 60000,
                               .arch = "x86-64",
                               .target = "x86_64",
                               .features = kFeatures,
                               .build_id = "strange"};
static const trit_kernel kKernel = {.struct_bytes = sizeof(trit_kernel)};
const trit_library* trit_library_v1(void) {
  library.kernels = &kKernel;
  return &library;
}

#elif STRANGE == 7 /* strings that lie outside */
static trit_library library = {.abi_major = TRIT_ABI_MAJOR, .struct_bytes = sizeof(trit_library)};
const trit_library* trit_library_v1(void) {
  library.arch = (const char*)8;
  return &library;
}
#endif
