// Which Highway targets this project's vector code is compiled for. Included before foreach_target.
//   SSSE3          CPUs with it and without SSE4 are older than 2009: they get the scalar form
//   SVE            sizeless vectors cannot stand in arrays; NEON covers those cores at 128 bits
//   AVX3_DL        the float code has no use for VNNI or VBMI: it would be AVX3's code twice
#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS \
  ((1LL << 12) | (1LL << 24) | (1LL << 25) | (1LL << 26) | (1LL << 27))  // SSSE3, SVE family
