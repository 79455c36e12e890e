// The order of table lookups, decided before LLVM's scheduler sees them.
#pragma once

namespace llvm {
class Module;
}

namespace trit {

// Lookups in one table (vpermw, vpermi2b, vpermi2w of one register) are tied by an empty statement
// that takes and gives back their results: whatever uses them comes behind all of them. "Look up,
// look up, look up, look up, add, add, add, add" passes a Zen 4 core at 294 GMAC/s where "look up,
// add, look up, add ..." passes at 265 (lut3w, 128 rows x 4 tokens, all in the first cache): adds
// between lookups take the two pipes that lookups need.
void TieLookups(llvm::Module& module);

}  // namespace trit
