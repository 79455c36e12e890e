// The two limits of a machine, as bodies a target provides in targets/<key>/roofs.cpp: how fast it
// can read memory, and how fast its int8 multiply-accumulate unit runs when nothing else is asked
// of it. runtime/roofs.h measures with them.
//
// A target without a roofs.cpp has no unit of its own; the next one below it that the CPU can run
// speaks for it (AVX-512 VBMI multiplies as AVX-512 VNNI does).
#pragma once

#include <cstddef>
#include <cstdint>

#include "targets/target.h"

namespace trit {

struct RoofBody {
  const char* unit;             // the multiply-accumulate instruction and its width, "vpdpbusd-512"
  uint64_t macs_per_step;       // int8 products that one step of `mac` adds up
  void (*mac)(uint64_t steps);  // steps on registers only, in enough independent chains
  // Reads every byte of [p, p + bytes) with the widest loads and prefetch; bytes is a multiple of
  // 1024, p is aligned to 64. The result depends on all of them.
  uint64_t (*read)(const std::byte* p, size_t bytes);
};

// How far ahead `read` prefetches. On Zen 4 one core reads 22 GB/s without and 30 with it.
inline constexpr size_t kRoofPrefetchBytes = 2048;

// The body that speaks for a target: its own, or that of the highest-ranked target below it whose
// features it includes. Null when none was built for this architecture.
const RoofBody* FindRoof(const Target& target);

// The body of the best target that this CPU can run.
const RoofBody& HostRoof();

}  // namespace trit
