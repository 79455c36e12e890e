// Attention of some query heads that share one KV head, over a blocked cache.
//
//   out[t, h] = sum_p softmax_p(q[t, h] . k[p]) v[p],   p = 0 .. first_position + t
//
// Positions are taken in chunks of 256, a chunk by online softmax block by block (64 positions),
// the chunks' states merged in ascending order: for a query the running maximum, the rescaling, and
// every sum have one fixed order that depends on nothing but its position. So a token of a prefill
// and the same token decoded alone get the same bits, and so do chunks that several threads took:
//
//   Attention(call)                       all of it, or
//   AttendChunk(call, i, states + i * n)  for every i < AttentionChunks(last position), in any
//   order, MergeChunks(call, states)             then; n = AttentionStateFloats(shape, tokens *
//   heads)
//
// The scale 1/sqrt(head_dim) is the caller's: it multiplies q. Attention's scratch is the same
// whatever the context.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/ops/kv_block.h"

namespace trit::ops {

struct AttentionCall {
  KvBlockShape shape;
  const void* const* blocks;  // block i of the cache, positions 64 i .. 64 i + 63, lies at
  size_t block_offset;        // blocks[i] + block_offset bytes (pages hold many heads' blocks)
  const float* q;             // token 0, first head; heads are head_dim apart
  int64_t q_stride;           // floats between tokens
  int tokens;
  int heads;               // query heads of this call, all of one KV head
  int64_t first_position;  // of token 0
  float* out;              // like q
  int64_t out_stride;
  float* scratch;  // AttentionScratchFloats(shape, tokens * heads) floats, 64-byte aligned
};

inline constexpr int kAttentionChunk = 256;  // positions

inline int64_t AttentionChunks(int64_t last_position) {
  return last_position / kAttentionChunk + 1;
}
size_t AttentionScratchFloats(const KvBlockShape& shape, int rows);
// Sums, maximum and denominators of every row; a multiple of 16.
size_t AttentionStateFloats(const KvBlockShape& shape, int rows);

void Attention(const AttentionCall& call);
void AttendChunk(const AttentionCall& call, int64_t chunk, float* state);
void MergeChunks(const AttentionCall& call, float* states);  // destroys them

}  // namespace trit::ops
