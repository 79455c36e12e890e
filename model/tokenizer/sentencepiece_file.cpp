#include "model/tokenizer/sentencepiece_file.h"

#include <cstring>
#include <optional>

#include "targets/base/error.h"

namespace trit {
namespace {

// One message's fields in order. A field is a number (wire types 0, 1, 5) or bytes (2).
class Message {
 public:
  Message(std::span<const uint8_t> bytes, const std::string& origin)
      : bytes_(bytes), origin_(origin) {}

  struct Field {
    uint64_t number = 0;
    uint32_t wire = 0;
    uint64_t value = 0;
    std::span<const uint8_t> bytes;
  };

  std::optional<Field> Next() {
    if (bytes_.empty()) return std::nullopt;
    Field field;
    const uint64_t tag = Varint();
    field.number = tag >> 3;
    field.wire = static_cast<uint32_t>(tag & 7);
    switch (field.wire) {
      case 0:
        field.value = Varint();
        break;
      case 1:
        std::memcpy(&field.value, Take(8).data(), 8);
        break;
      case 2:
        field.bytes = Take(Varint());
        break;
      case 5: {
        uint32_t value;
        std::memcpy(&value, Take(4).data(), 4);
        field.value = value;
        break;
      }
      default:
        Fail("an unknown wire type");
    }
    return field;
  }

 private:
  [[noreturn]] void Fail(const char* what) const {
    throw Error(Join(origin_, " is not a sound SentencePiece model: ", what));
  }
  std::span<const uint8_t> Take(uint64_t count) {
    if (count > bytes_.size()) Fail("it ends inside a field");
    const auto out = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return out;
  }
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = Take(1)[0];
      value |= uint64_t{byte & 127u} << shift;
      if (byte < 128) return value;
    }
    Fail("a number longer than 64 bits");
  }

  std::span<const uint8_t> bytes_;
  const std::string& origin_;
};

}  // namespace

TokenizerSpec ReadSentencePiece(std::span<const uint8_t> bytes, const std::string& origin) {
  TokenizerSpec spec;
  spec.kind = TokenizerKind::kSentencePiece;
  spec.add_bos = true;
  uint64_t model_type = 1;  // the format's default: unigram
  Message model(bytes, origin);
  while (const auto field = model.Next()) {
    if (field->number == 1 && field->wire == 2) {  // a piece: text 1, score 2, type 3
      std::string text;
      float score = 0;
      uint64_t kind = 1;
      Message piece(field->bytes, origin);
      while (const auto part = piece.Next()) {
        if (part->number == 1) text.assign(part->bytes.begin(), part->bytes.end());
        if (part->number == 2) {
          const auto low = static_cast<uint32_t>(part->value);
          std::memcpy(&score, &low, 4);
        }
        if (part->number == 3) kind = part->value;
      }
      if (kind < 1 || kind > 6) {
        throw Error(Join(origin, ": piece ", spec.tokens.size(), " has the unknown type ", kind));
      }
      if (kind == 2) spec.unknown = static_cast<int32_t>(spec.tokens.size());
      spec.tokens.push_back(std::move(text));
      spec.scores.push_back(score);
      spec.kinds.push_back(static_cast<TokenKind>(kind));
    } else if (field->number == 2 && field->wire == 2) {  // training: model type 3
      Message training(field->bytes, origin);
      while (const auto part = training.Next()) {
        if (part->number == 3) model_type = part->value;
      }
    } else if (field->number == 3 && field->wire == 2) {  // normaliser: dummy prefix 3
      Message normaliser(field->bytes, origin);
      while (const auto part = normaliser.Next()) {
        if (part->number == 3) spec.add_space_prefix = part->value != 0;
      }
    }
  }
  if (spec.tokens.empty()) {
    throw Error(Join(origin, " is not a SentencePiece model: it has no pieces"));
  }
  if (model_type != 2) {
    throw Error(Join(origin, ": the SentencePiece model is of type ", model_type,
                     "; BPE (2) is the one that is read"));
  }
  return spec;
}

}  // namespace trit
