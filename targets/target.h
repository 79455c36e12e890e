// What a machine target is: one folder of targets/, its traits as data.
//
// targets/<key>/target.inc holds one brace initialiser of Target; CMake gathers them all into one
// table (AllTargets). Nothing outside targets/ names a target: code asks for traits.
#pragma once

#include <span>
#include <string_view>

namespace trit {

struct Target {
  const char* key;              // the folder's name
  const char* title;            // for people
  const char* arch;             // "x86-64" or "aarch64"
  int rank;                     // dispatch prefers the higher rank among those the CPU can run
  int vector_bytes;             // width of the vectors its kernels use; 0 = scalable
  const char* features;         // CPU features needed, names of features.inc, space separated
  const char* halide_features;  // appended to "x86-64-linux" or "arm-64-linux", each with a dash
  const char* llvm_cpu;         // LLVM 19's -mcpu
  const char* llvm_features;    // LLVM 19's -mattr
  const char* emulator;  // command prefix that runs its tests where the CPU cannot; "" = none
};

// Every folder of targets/, highest rank first.
std::span<const Target> AllTargets();

// Throws trit::Error naming the known keys when there is no such target.
const Target& FindTarget(std::string_view key);

// The architecture this program was built for: "x86-64" or "aarch64".
std::string_view HostArch();

// Vector registers a loop can name: 32 with AVX-512 and on AArch64, 16 otherwise.
int VectorRegisters(const Target& target);

// The target of the lowest rank of this program's architecture: what every such CPU can run.
const Target& BaselineTarget();

}  // namespace trit
