// Blocked tensors: how packed weights and prepared activations lie in memory.
//
// Rows (of weights: outputs; of activations: tokens) are taken `granule` at a time and columns (K)
// `k_step` at a time; one granule x k_step tile becomes one block of bytes. A tensor is
//
//     [granule][k block][block bytes]   then   [granule][fixed bytes]        k_outer = false
//     [k block][granule][block bytes]   then   [granule][fixed bytes]        k_outer = true
//
// or, with `halves` (weights only), [k block][granule] of the first (granules + 1) / 2 granules,
// then the same of the others: with one or two threads each then reads one run from its first byte
// to its last. Turning to the next K block every 35 KB costs two threads 10 % of the memory's speed
// (2560 x 2560, lut5, Zen 4), and fetching the next run's first lines ahead wins none of it back.
//
// so that its size is one formula: granules * (k_blocks * block_bytes + fixed_bytes). "Fixed" is
// what a granule needs once (row sums, counts of complemented groups); 0 elements if nothing.
// A block is an array of `type` with extents `inner`, innermost first; how the tile's numbers get
// into it is the business of the C functions in the file `code`:
//
//   weights      generator/families/<code>.c   trit_pack_block, trit_unpack_block
//   activations  generator/forms/<code>.c      trit_prepare_block
//
// (contracts in generator/entry/block_functions.h). `option` is handed to these functions.
#pragma once

#include <Halide.h>

#include <string>
#include <vector>

#include "generator/entry/descriptor.h"

namespace trit {

struct BlockSpec {
  std::string id;  // ABI id with a version, e.g. "mad2-r32-k64.v1"; says everything below
  std::string code;
  Halide::Type type;
  std::vector<int> inner;
  int granule = 0;
  int k_step = 0;
  bool k_outer = false;
  bool halves = false;  // with k_outer
  int align = 64;
  Halide::Type fixed_type = Halide::Int(32);
  int fixed_count = 0;
  std::vector<int> option;

  int BlockElements() const;
  int BlockBytes() const;
  int FixedBytes() const;  // padded to align

  // Throws trit::Error naming the id and the fault: a block that is no multiple of `align`, too
  // many dimensions, a tile too large for the packer's stack (64 KB).
  void Check() const;
  trit_blocks_desc Descriptor() const;
  // Everything that makes two specs the same code and bytes: the key under which code is cached.
  std::string Text() const;
};

using LayoutSpec = BlockSpec;
using ActFormSpec = BlockSpec;

}  // namespace trit
