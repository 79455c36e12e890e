#include "generator/blocks.h"

#include "targets/base/error.h"

namespace trit {
namespace {

constexpr int kMaxTileBytes = 64 * 1024;  // the packer gathers a tile of trits on its stack

}  // namespace

int BlockSpec::BlockElements() const {
  int n = 1;
  for (int e : inner) n *= e;
  return n;
}

int BlockSpec::BlockBytes() const {
  return BlockElements() * type.bytes();
}

int BlockSpec::FixedBytes() const {
  const int bytes = fixed_count * fixed_type.bytes();
  return (bytes + align - 1) / align * align;
}

void BlockSpec::Check() const {
  const auto fail = [&](const auto&... why) { throw Error(Join("the layout ", id, " ", why...)); };
  if (id.empty() || code.empty()) fail("has no id or no code");
  if (inner.empty() || inner.size() > TRIT_MAX_INNER) {
    fail("has ", inner.size(), " inner dimensions, not 1..", TRIT_MAX_INNER);
  }
  for (int e : inner) {
    if (e < 1) fail("has an inner extent of ", e);
  }
  if (granule < 1 || k_step < 1) fail("has a granule of ", granule, " x ", k_step);
  if (align < 1 || (align & (align - 1))) fail("has an alignment of ", align);
  if (type.bits() % 8 || fixed_type.bits() % 8) fail("has elements that are no whole bytes");
  if (fixed_count < 0) fail("has ", fixed_count, " fixed elements");
  if (BlockBytes() % align) {
    fail("has blocks of ", BlockBytes(), " bytes, no multiple of its alignment ", align);
  }
  if (halves && !k_outer) fail("has halves, which are for [k block][granule] alone");
  if (granule * k_step > kMaxTileBytes) {
    fail("has tiles of ", granule, " x ", k_step, ", more than ", kMaxTileBytes, " trits");
  }
  if (option.size() > TRIT_MAX_OPTIONS) fail("has ", option.size(), " options");
}

trit_blocks_desc BlockSpec::Descriptor() const {
  Check();
  trit_blocks_desc d = {};
  d.type_code = static_cast<uint32_t>(type.code());
  d.type_bits = static_cast<uint32_t>(type.bits());
  d.inner_rank = static_cast<int32_t>(inner.size());
  for (size_t i = 0; i < inner.size(); ++i) d.inner_extent[i] = inner[i];
  d.granule = granule;
  d.k_step = k_step;
  d.k_outer = k_outer;
  d.halves = halves;
  d.align = align;
  d.block_bytes = BlockBytes();
  d.fixed_code = static_cast<uint32_t>(fixed_type.code());
  d.fixed_bits = static_cast<uint32_t>(fixed_type.bits());
  d.fixed_count = fixed_count;
  d.fixed_bytes = FixedBytes();
  for (size_t i = 0; i < option.size(); ++i) d.option[i] = option[i];
  return d;
}

std::string BlockSpec::Text() const {
  const trit_blocks_desc d = Descriptor();
  std::string text = Join(id, " ", code);
  const auto* words = reinterpret_cast<const int32_t*>(&d);
  for (size_t i = 0; i < sizeof(d) / sizeof(int32_t); ++i) text += Join(" ", words[i]);
  return text;
}

}  // namespace trit
