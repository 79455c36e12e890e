// Encodings whose blocks run through the whole tensor: a row may begin inside a block.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace trit {

// Trits [begin, end) of a tensor of blocks. decode(data, blocks, out) expands whole blocks and
// returns false when something is no trit.
template <uint64_t kBlock, uint64_t kBlockBytes, typename Decode>
bool ReadFlat(const uint8_t* data, uint64_t begin, uint64_t end, int8_t* out, Decode decode) {
  int8_t edge[kBlock];
  while (begin < end) {
    const uint64_t inside = begin % kBlock;
    const uint8_t* at = data + begin / kBlock * kBlockBytes;
    uint64_t take;
    if (inside == 0 && end - begin >= kBlock) {
      take = (end - begin) / kBlock * kBlock;
      if (!decode(at, take / kBlock, out)) return false;
    } else {
      take = std::min(kBlock - inside, end - begin);
      if (!decode(at, 1, edge)) return false;
      std::memcpy(out, edge + inside, take);
    }
    begin += take;
    out += take;
  }
  return true;
}

}  // namespace trit
